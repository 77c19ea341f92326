"""Logging in at an OpenID provider: a real one, and one that lies as a test says."""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

from api.app import create_app
from api.http.admission import names_of
from api.server import Server
from api.services import Services
from reconciler.errors import SettingsError, Transient
from reconciler.identity.identity import Identity
from reconciler.identity.logins import Logins
from reconciler.identity.oidc.login import NotProvenError, OidcLogin, Returned
from reconciler.identity.oidc.registration import Registration
from reconciler.serving.audit_log import AuditLog
from reconciler.settings.settings import Settings
from tests.lab.oidc_provider import CLIENT, SECRET, LyingProvider, a_key, lying_provider, signed

FROM_THE_PROVIDER = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
BY_HAND = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the mock


class Now:
    s = 1000.0

    def __call__(self) -> float:
        return self.s


@dataclass
class Browser:
    """One that keeps the cookies of this server, and shows those that a browser would."""

    client: httpx.Client
    now: Now
    logins: Logins

    def __post_init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def get(self, path: str, headers: dict[str, str], *hidden: str) -> httpx.Response:
        shown = {name: value for name, value in self.cookies.items() if name not in hidden}
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in shown.items())} if shown else {}
        answer = self.client.get(path, headers=headers | cookies)
        for each in answer.headers.get_list("set-cookie"):
            name, _, value = each.partition(";")[0].partition("=")
            assert name.startswith("__Host-") and "; Path=/" in each and "; Secure" in each and "Domain" not in each
            if "Max-Age=0" in each:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def begin(self, then: str = "/vms") -> str:
        """Where the browser is sent to."""
        answer = self.get(f"/login/oidc?{urlencode({'next': then})}", BY_HAND)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    def come_back(self, **query: str) -> httpx.Response:
        """From the provider, without what is kept to this site."""
        hidden = ("__Host-onggi", "__Host-onggi-csrf")
        return self.get(f"/login/oidc/callback?{urlencode(query)}", FROM_THE_PROVIDER, *hidden)

    def log_in(self, provider: LyingProvider) -> httpx.Response:
        code, state = provider.code_for(self.begin())
        return self.come_back(code=code, state=state)

    def is_in(self) -> bool:
        return self.get("/metrics", {"Sec-Fetch-Site": "same-origin"}).status_code != 401


@contextmanager
def served(issuer: str, audit_log: AuditLog | None = None, **changed: Any) -> Iterator[Browser]:
    now = Now()
    settings = Settings(auth="oidc", oidc_issuer=issuer, oidc_client_id=CLIENT, admin_groups=("deciders",), **changed)
    registration = Registration(
        issuer, CLIENT, lambda: SECRET, settings.oidc_user_claim, settings.oidc_groups_claim, settings.oidc_scopes
    )
    logins = settings.logins
    assert logins is not None
    logins.sessions._now = logins._now = now
    names = names_of("127.0.0.1")
    services = Services(
        ready=lambda: True, alive=lambda: True, info=dict, hosts=lambda: names, logins=logins,
        oidc=OidcLogin(registration, now=now), audit_log=audit_log,
    )  # fmt: skip
    server = Server(create_app(services), "127.0.0.1:0")
    server.start()
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            yield Browser(client, now, logins)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def one_provider() -> Iterator[LyingProvider]:
    with lying_provider() as running:
        yield running


@pytest.fixture
def provider(one_provider: LyingProvider) -> LyingProvider:
    one_provider.begin_anew()
    return one_provider


def is_let_in(provider: LyingProvider) -> bool:
    """Whether somebody is who logs in there, without the server around it."""
    login = OidcLogin(Registration(provider.issuer, CLIENT, lambda: SECRET))
    begun = login.begin("http://127.0.0.1/login/oidc/callback", "/", "192.0.2.1")
    code, state = provider.code_for(begun.url)
    try:
        identity, _ = login.finish(Returned(begun.browser, state, code))
    except NotProvenError:
        return False
    return identity == Identity("kim", frozenset({"deciders"}))


@pytest.fixture
def browser(provider: LyingProvider) -> Iterator[Browser]:
    with served(provider.issuer) as running:
        yield running


def test_somebody_logs_in_at_a_real_provider_and_goes_on_to_where_they_wanted() -> None:
    import oidc_provider_mock  # takes a while

    kim = oidc_provider_mock.User(sub="kim", claims={"preferred_username": "kim@example.org", "groups": ["deciders"]})
    with oidc_provider_mock.run_server_in_thread(user_claims=[kim], require_nonce=True) as mock:
        issuer = f"http://localhost:{mock.server_port}"
        with served(issuer) as browser:
            away = browser.begin("/vms?name=web")
            assert away.startswith(f"{issuer}/oauth2/authorize?")
            back = httpx.post(away, data={"sub": "kim"}, timeout=60).headers["Location"]
            parts = urlsplit(back)
            assert parts.path == "/login/oidc/callback"
            answer = browser.get(f"{parts.path}?{parts.query}", FROM_THE_PROVIDER)
            assert answer.status_code == 200, answer.text
            assert 'content="0;url=/vms?name=web"' in answer.text
            assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Referrer-Policy"] == "no-referrer"
            assert set(browser.cookies) == {"__Host-onggi", "__Host-onggi-csrf"}
            assert browser.is_in()


def test_the_cookies_are_those_that_a_browser_shows_where_they_are_needed(
    browser: Browser, provider: LyingProvider
) -> None:
    begun = browser.get("/login/oidc", BY_HAND)
    assert "SameSite=Lax" in begun.headers["Set-Cookie"] and "HttpOnly" in begun.headers["Set-Cookie"]
    code, state = provider.code_for(begun.headers["Location"])
    session = [
        each
        for each in browser.come_back(code=code, state=state).headers.get_list("set-cookie")
        if each.startswith("__Host-onggi=")
    ]
    assert "SameSite=Strict" in session[0] and "HttpOnly" in session[0]


def test_the_page_to_log_in_on_leads_to_the_provider(browser: Browser) -> None:
    answer = browser.get("/login?next=/console/web?kind=vnc", BY_HAND | {"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login/oidc?next=%2Fconsole%2Fweb%3Fkind%3Dvnc")
    assert browser.get(answer.headers["Location"], BY_HAND).status_code == 303


def test_the_secret_goes_to_the_provider_as_it_wants_it(browser: Browser, provider: LyingProvider) -> None:
    assert browser.log_in(provider).status_code == 200
    assert any(each.startswith("Basic ") for each in provider.authorizations)


def test_a_session_that_was_there_ends_and_this_one_after_its_time(browser: Browser, provider: LyingProvider) -> None:
    browser.cookies["__Host-onggi"] = "chosen-by-an-attacker"
    assert browser.log_in(provider).status_code == 200
    first = browser.cookies["__Host-onggi"]
    assert first != "chosen-by-an-attacker"
    for _ in range(3):
        browser.now.s += 1000
        assert browser.is_in()
    browser.now.s += 601
    assert not browser.is_in()


def test_what_was_begun_in_a_session_goes_on_as_long_as_that(browser: Browser, provider: LyingProvider) -> None:
    assert browser.log_in(provider).status_code == 200
    token = browser.cookies["__Host-onggi"]
    browser.now.s += 1500
    still = browser.logins.by_session(token, counts=False)
    assert still is not None and still.identity.name == "kim"
    assert browser.is_in()
    browser.now.s += 1500
    assert browser.is_in()
    browser.now.s += 601
    assert browser.logins.by_session(token, counts=False) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"aud": ["another"]}, {"aud": [CLIENT, "another"]},
        {"azp": "another"}, {"aud": [CLIENT, "another"], "azp": "another"}, {"iss": "https://evil.example"},
        {"iss": None}, {"exp": 1}, {"exp": None}, {"exp": True}, {"exp": "9999999999"}, {"iat": 1}, {"iat": None},
        {"iat": 9_999_999_999}, {"nbf": 9_999_999_999}, {"sub": None}, {"sub": ""}, {"at_hash": "AAAA"},
        {"preferred_username": None}, {"preferred_username": "root"}, {"preferred_username": "k\u202eim"},
        {"preferred_username": ["kim"]}, {"preferred_username": "kim\nCo-authored-by: ada"},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_is_not_for_this_login_lets_nobody_in(provider: LyingProvider, claims: dict[str, Any]) -> None:
    assert is_let_in(provider)
    provider.claims |= claims
    assert not is_let_in(provider)


def unsigned(claims: dict[str, Any]) -> str:
    return f"{encoded({'alg': 'none'})}.{encoded(claims)}."


def encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed_with_the_public_key(claims: dict[str, Any]) -> str:
    """What a library takes that takes any algorithm with any key."""
    text = f"{encoded({'alg': 'HS256', 'kid': 'first'})}.{encoded(claims)}"
    made = hmac.digest(a_key().as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def with_its_own_key(claims: dict[str, Any]) -> str:
    key = a_key("of an attacker")
    return signed(claims, key, jwk=key.as_dict(private=False), jku="https://evil.example/keys", kid="first")


def touched(claims: dict[str, Any]) -> str:
    head, _, signature = signed(claims).split(".")
    return f"{head}.{encoded(claims | {'preferred_username': 'ada'})}.{signature}"


@pytest.mark.parametrize(
    "token",
    [
        unsigned, signed_with_the_public_key, with_its_own_key, touched,
        lambda claims: signed(claims, a_key("of an attacker"), kid="first"),
        lambda claims: signed(claims, a_key("of an attacker")),
        lambda claims: "", lambda claims: "a.b.c", lambda claims: f"{encoded({'alg': 'RS256'})}.{'A' * 70_000}.AAAA",
        lambda claims: f"{encoded({'alg': ['RS256']})}.AAAA.AAAA", lambda claims: "é.é.é", lambda claims: None,
        lambda claims: signed(claims) + ".x", lambda claims: f"{encoded({'alg': 'RS256', 'kid': {'a': 1}})}.AA.AA",
    ],
    ids=["none", "HS256 by the public key", "a key of its own", "changed", "another's key", "an unknown key", "empty",
         "letters", "long", "a list", "no ASCII", "none at all", "four parts", "an odd kid"],
)  # fmt: skip
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    provider: LyingProvider, token: Callable[[dict[str, Any]], Any]
) -> None:
    provider.token = token
    assert not is_let_in(provider)


@pytest.mark.filterwarnings("ignore:Key size")
def test_weak_and_symmetric_keys_of_the_provider_are_none(provider: LyingProvider) -> None:
    weak = RSAKey.generate_key(1024, {"kid": "weak"})
    shared = OctKey.generate_key(256, {"kid": "shared"})
    provider.shown = [weak.as_dict(private=False), shared.as_dict(private=True), {"kty": "RSA"}, {"kty": 1}, "x"]
    for token in (
        lambda claims: signed(claims, weak),
        lambda claims: jws.serialize_compact({"alg": "HS256", "kid": "shared"}, json.dumps(claims), shared, ["HS256"]),
    ):
        provider.token = token
        assert not is_let_in(provider)


def test_a_new_key_is_asked_for_once_and_not_all_the_time(browser: Browser, provider: LyingProvider) -> None:
    assert browser.log_in(provider).status_code == 200
    browser.now.s += 60
    rotated = a_key("second")
    provider.shown = [rotated.as_dict(private=False)]
    provider.token = lambda claims: signed(claims, rotated)
    assert browser.log_in(provider).status_code == 200
    provider.token = lambda claims: signed(claims, a_key("of an attacker"))
    for _ in range(5):
        assert browser.log_in(provider).status_code == 401
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_a_login_counts_once_for_its_own_browser_with_its_own_code(browser: Browser, provider: LyingProvider) -> None:
    code, state = provider.code_for(browser.begin())
    mine = dict(browser.cookies)
    browser.cookies.clear()
    assert browser.come_back(code=code, state=state).status_code == 401  # what an attacker has a victim follow
    browser.cookies = dict(mine)
    assert browser.come_back(code=code, state="another").status_code == 401
    browser.cookies = dict(mine)
    assert browser.come_back(code=code, state=state).status_code == 200
    browser.cookies = dict(mine)
    assert browser.come_back(code=code, state=state).status_code == 401  # a replay
    stolen, _ = provider.code_for(browser.begin())
    _, own = provider.code_for(browser.begin())
    assert browser.come_back(code=stolen, state=own).status_code == 401  # another login's code: the verifier is not its


def test_another_issuer_that_sends_the_browser_back_is_not_believed(browser: Browser, provider: LyingProvider) -> None:
    code, state = provider.code_for(browser.begin())
    assert browser.come_back(code=code, state=state, iss="https://evil.example").status_code == 401
    code, state = provider.code_for(browser.begin())
    assert browser.come_back(code=code, state=state, iss=provider.issuer).status_code == 200


def test_a_provider_that_names_itself_has_to(provider: LyingProvider) -> None:
    provider.changed = {"authorization_response_iss_parameter_supported": True}
    with served(provider.issuer) as browser:
        assert browser.log_in(provider).status_code == 401


def test_who_is_refused_there_is_not_in(browser: Browser) -> None:
    location = browser.begin()
    state = dict(each.split("=") for each in urlsplit(location).query.split("&"))["state"]
    answer = browser.come_back(state=state, error="access_denied", error_description="<script>")
    assert answer.status_code == 401 and "script" not in answer.text


def test_a_parameter_that_is_there_twice_is_refused(browser: Browser, provider: LyingProvider) -> None:
    code, state = provider.code_for(browser.begin())
    for query in (f"code={code}&code=x&state={state}", f"code={code}&state={state}&state=x"):
        assert browser.get(f"/login/oidc/callback?{query}", FROM_THE_PROVIDER).status_code == 400


def test_nobody_is_led_elsewhere(browser: Browser) -> None:
    for then in (
        "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", "vms", "/\tevil",
        "/a b", "/a\r\nSet-Cookie: a=b", "\\\\evil.example", "/" + "a" * 1100, "/é",
    ):  # fmt: skip
        assert browser.get(f"/login/oidc?{urlencode({'next': then})}", BY_HAND).status_code == 400, then


def test_the_page_shows_an_address_as_one(browser: Browser, provider: LyingProvider) -> None:
    code, state = provider.code_for(browser.begin('/"><script>alert(1)</script>'))
    assert "<script>" not in browser.come_back(code=code, state=state).text


def test_another_site_begins_no_login_and_frames_none(browser: Browser, provider: LyingProvider) -> None:
    assert browser.get("/login/oidc", FROM_THE_PROVIDER).status_code == 403
    code, state = provider.code_for(browser.begin())
    for odd in ({"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}):
        answer = browser.get(f"/login/oidc/callback?code={code}&state={state}", FROM_THE_PROVIDER | odd)
        assert answer.status_code == 403
    assert browser.come_back(code=code, state=state).status_code == 200


def test_groups_come_from_where_the_provider_tells_of_more(browser: Browser, provider: LyingProvider) -> None:
    del provider.claims["groups"]
    provider.userinfo = {"sub": "1", "groups": "deciders", "preferred_username": "ada"}
    assert browser.log_in(provider).status_code == 200
    provider.userinfo["sub"] = "another"
    answer = browser.log_in(provider)
    assert answer.status_code == 403 and "no role" in answer.json()["reason"]


def test_an_address_is_a_name_only_where_it_was_verified(provider: LyingProvider) -> None:
    with served(provider.issuer, oidc_user_claim="email") as browser:
        for claims, status in (
            ({"email": "kim@example.org"}, 401),
            ({"email": "kim@example.org", "email_verified": "false"}, 401),
            ({"email": "kim@example.org", "email_verified": True}, 200),
        ):
            provider.claims = {"groups": ["deciders"]} | claims
            assert browser.log_in(provider).status_code == status


def test_a_provider_that_is_down_lets_nobody_in(browser: Browser, provider: LyingProvider) -> None:
    provider.status = 500
    assert browser.get("/login/oidc", BY_HAND).status_code == 503
    for status in (500, 302, 429):
        provider.status = 200
        code, state = provider.code_for(browser.begin())
        provider.status = status
        assert browser.come_back(code=code, state=state).status_code == 503
        assert not browser.is_in()


def test_a_provider_that_is_gone_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with lying_provider() as provider:
        issuer = provider.issuer
    with served(issuer) as browser, caplog.at_level(logging.WARNING, "onggi.oidc"):
        answer = browser.get("/login/oidc", BY_HAND)
    assert answer.status_code == 503 and "nobody can log in" in answer.json()["reason"]
    assert issuer in caplog.text and SECRET not in caplog.text


def test_a_description_that_leads_elsewhere_is_not_followed(provider: LyingProvider) -> None:
    for changed in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "http://kim:secret@127.0.0.1/"},
    ):
        provider.changed = changed
        with pytest.raises(Transient):
            is_let_in(provider)


def test_groups_of_this_host_do_not_count_and_no_password_is_taken(provider: LyingProvider) -> None:
    provider.claims["groups"] = ["sudo", "root", "wheel"]
    settings = Settings(auth="oidc", oidc_issuer=provider.issuer, oidc_client_id=CLIENT)
    assert settings.logins is not None and settings.oidc is not None
    with served(provider.issuer) as browser:
        assert browser.log_in(provider).status_code == 403
        answer = browser.client.get("/vms", auth=("kim", "password"))
        assert answer.status_code == 401 and "/login/oidc" in answer.json()["reason"]
        assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"oidc_issuer": ""}, "needs a provider"),
        ({"oidc_client_id": ""}, "needs a provider"),
        ({"oidc_issuer": "http://login.example.org"}, "isn't the address"),
        ({"oidc_issuer": "https://login.example.org/#a"}, "isn't the address"),
        ({"oidc_issuer": "https://kim:secret@login.example.org"}, "isn't the address"),
        ({"oidc_scopes": ("profile",)}, "openid"),
        ({"oidc_session_s": 86_400.0}, "12h"),
        ({"auth": "none"}, "set auth to oidc"),
    ],
)
def test_settings_that_can_not_be_meant_are_refused(changed: dict[str, Any], message: str) -> None:
    good = {"auth": "oidc", "oidc_issuer": "https://login.example.org", "oidc_client_id": CLIENT}
    with pytest.raises(SettingsError, match=message):
        Settings(**good | changed)


def test_a_secret_that_is_gone_lets_nobody_in_and_stands_in_no_text(provider: LyingProvider, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    login = Settings(auth="oidc", oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret_file=file).oidc
    assert login is not None
    for status, there in (("in", True), ("out", False)):
        begun = login.begin("http://127.0.0.1/login/oidc/callback", "/", "192.0.2.1")
        code, state = provider.code_for(begun.url)
        if there:
            assert login.finish(Returned(begun.browser, state, code))[0].name == "kim", status
            file.unlink()
        else:
            with pytest.raises(Transient):
                login.finish(Returned(begun.browser, state, code))
    assert SECRET not in repr(login)
