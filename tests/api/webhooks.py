"""Webhooks as the forges send them, each proven in its forge's manner."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid

SECRET = b"correct horse battery staple"
PUSH = json.dumps({"ref": "refs/heads/main", "after": "0" * 40}).encode()

Headers = dict[str, str]


def hex_hmac(body: bytes, secret: bytes = SECRET) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def github(body: bytes, *, event: str = "push", secret: bytes = SECRET, delivery: str = "") -> Headers:
    return {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={hex_hmac(body, secret)}",
    }


def gitea(body: bytes, *, event: str = "push", secret: bytes = SECRET, delivery: str = "") -> Headers:
    return {
        "X-Gitea-Event": event,
        "X-Gitea-Delivery": delivery or str(uuid.uuid4()),
        "X-Gitea-Signature": hex_hmac(body, secret),
    }


def forgejo(body: bytes, *, event: str = "push", secret: bytes = SECRET, delivery: str = "") -> Headers:
    return {
        "X-Forgejo-Event": event,
        "X-Forgejo-Delivery": delivery or str(uuid.uuid4()),
        "X-Forgejo-Signature": hex_hmac(body, secret),
    }


def gitlab(body: bytes, *, event: str = "Push Hook", secret: bytes = SECRET, delivery: str = "") -> Headers:
    return {
        "X-Gitlab-Event": event,
        "X-Gitlab-Event-UUID": delivery or str(uuid.uuid4()),
        "X-Gitlab-Token": secret.decode("latin-1"),
    }


def standard(
    body: bytes, *, event: str = "Push Hook", secret: bytes = SECRET, delivery: str = "", at: float | None = None
) -> Headers:
    """GitLab's signed webhooks, in the manner of Standard Webhooks."""
    identity, stamp = delivery or str(uuid.uuid4()), str(int(time.time() if at is None else at))
    content = b".".join((identity.encode(), stamp.encode(), body))
    signature = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    return {
        "X-Gitlab-Event": event,
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }


def generic(body: bytes, *, event: str = "", secret: bytes = SECRET, delivery: str = "") -> Headers:
    return {"X-Signature": f"sha256={hex_hmac(body, secret)}"}


# How a forge signs, by a name for the test and the provider in the address.
MANNERS = {
    "github": ("github", github),
    "gitea": ("gitea", gitea),
    "forgejo": ("forgejo", forgejo),
    "gitlab-token": ("gitlab", gitlab),
    "gitlab-signature": ("gitlab", standard),
    "generic": ("generic", generic),
}
