"""An OpenID provider on the loopback that a test can have say anything, with real keys and real signatures.

It lets everybody in at once, and gives out the tokens that `token` makes. That codes are used once and with their
verifier is checked as a good provider does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "onggi-of-the-tests"
SECRET = "s3cret of the client"


@cache
def a_key(kid: str = "first") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


class LyingProvider:
    """`changed` is what its description says otherwise, `shown` the keys that it shows, `claims` what it claims of
    somebody, `token` what becomes of that, `userinfo` what it tells when it is asked again. `asked` are the paths.
    """

    def __init__(self) -> None:
        self.begin_anew()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def begin_anew(self) -> None:
        """As a good provider."""
        self.shown: list[Any] = [a_key().as_dict(private=False)]
        self.changed: dict[str, Any] = {}
        self.claims: dict[str, Any] = {"preferred_username": "kim", "groups": ["deciders"]}
        self.userinfo: dict[str, Any] = {}
        self.token: Callable[[dict[str, Any]], Any] = signed
        self.status = 200
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def code_for(self, location: str) -> tuple[str, str]:
        """Somebody logs in: the code and the state that a browser comes back with."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert query["code_challenge_method"] == "S256" and query["response_type"] == "code"
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return code, query["state"]

    def _answer(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        if self.status != 200:
            return self.status, {}
        if path.endswith("/openid-configuration"):
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
            } | self.changed
        if path == "/keys":
            return 200, {"keys": self.shown}
        if path == "/userinfo":
            return 200, self.userinfo
        query = self._codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        if query is None or query["code_challenge"] != challenge or query["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": query["client_id"], "sub": "1", "iat": now, "exp": now + 300}
        return 200, {
            "access_token": "access",
            "token_type": "Bearer",
            "id_token": self.token(claims | {"nonce": query["nonce"]} | self.claims),
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
                provider.asked.append(self.path)
                provider.authorizations.append(self.headers.get("Authorization", ""))
                status, said = provider._answer(self.path, form)
                content = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def signed(claims: dict[str, Any], key: RSAKey | None = None, **header: Any) -> str:
    """As a good provider signs."""
    key = key or a_key()
    return jwt.encode({"alg": "RS256", "kid": key.kid, **header}, claims, key)


@contextmanager
def lying_provider() -> Iterator[LyingProvider]:
    provider = LyingProvider()
    try:
        yield provider
    finally:
        provider.close()
