"""The kind Secret: a passphrase or key that libvirt keeps, for disks, pools and TPMs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.reference import SECRET
from specs.registry import TypedKind
from specs.secret.model import check, references

if TYPE_CHECKING:
    from specs.secret.spec import LoweredSecret, SecretSpec

KIND: TypedKind[SecretSpec, LoweredSecret] = TypedKind(
    name=SECRET,
    plural="secrets",
    aliases=("secret",),
    noun="secret",
    package=__name__,
    references=references,
    check=check,
)
