"""Public keys are told from everything that only looks like one."""

from __future__ import annotations

import base64

import pytest

from specs.virtualmachine.guest.ssh_keys import key_problem

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINBdU05+IfrXnvx3r1wr/RaHmeNJfQq6fOPny9W0x0fo ops@example.org"
ECDSA = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGYHoImF5my8lLgHxiEngxxAhO40"
    "rfKDll7gb4TuIzT6nfMoYYdz02IaLXtn21mUT3O2Nq+Hqu5XVkEyaxbBF6Y= x y z"
)
RSA = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDgcfLzmE8F7GBIENgNn0Sfca97KYP9k1GW8WJ82QUfwJ08CsdvJ9CuULyGYubZ"
    "VPzOhNoMSHrAroeaKs5TOQTrfMW4YAkDsF+L0QtMlRbwi/xOmmy2+kTbRrzl0zbFjIqC0Wo4IkoMlK4VAIkAH+noxMlMBcnIlXmV"
    "UV9CXyu1CNpFZmoXwNIqpibOyof7zsUJdBy2PPe00dc3gW/t9OVUzVT60CzdsHvFBAXZDYl7+D+l3fm9VhYJotGQY2gDK+FtPiEa"
    "Wwx3GXPqyR1vsbw6C7L0j6CqKyHJm0925aZDFBqrYv9MCqAFKLKgckgqXbFO0MyM/mr0CVhto5JHj+Vx"
)


def blob(*parts: bytes) -> str:
    return base64.b64encode(b"".join(len(part).to_bytes(4) + part for part in parts)).decode()


@pytest.mark.parametrize("key", [ED25519, ECDSA, RSA, ED25519.rpartition(" ")[0]])
def test_what_ssh_keygen_makes_is_a_key(key: str) -> None:
    assert key_problem(key) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "begins with its kind"),
        ("hunter2", "begins with its kind"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "begins with its kind"),
        (f"restrict {ED25519}", "begins with its kind"),
        (ED25519.replace("ssh-ed25519", "ssh-rsa", 1), "isn't whole"),
        (ED25519.replace("x0fo", ""), "isn't whole"),
        (ED25519.replace("AAAAI", "AAAA!"), "isn't whole"),
        (f"ssh-ed25519 {blob(b'ssh-ed25519', b'short')}", "isn't whole"),
        (f"ssh-ed25519 {blob(b'ssh-ed25519')}", "isn't whole"),
        (f"ssh-rsa {blob(b'ssh-rsa', b'e', bytes(64))}", "1024 bits"),
        ("ssh-ed25519 ", "isn't whole"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
    ],
)
def test_anything_else_is_refused_without_being_repeated(line: str, words: str) -> None:
    problem = key_problem(line)
    assert problem is not None and words in problem
    assert not line or line not in problem
