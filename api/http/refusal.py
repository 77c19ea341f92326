"""An answer that isn't a success, with Kimchi's code where it has one."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818  # a word of the trade
    """Answer `status` with {code, reason}. `reason` is a sentence for a person; `code` Kimchi's, such as KCHVM0002E."""

    def __init__(self, status: int, reason: str, code: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = f"{code}: {reason}" if code else reason


def not_found(code: str, what: str) -> Refusal:
    """404: `what` (such as `Virtual machine web`) doesn't exist."""
    return Refusal(404, f"{what} doesn't exist.", code)


def bad(code: str, reason: str) -> Refusal:
    """400."""
    return Refusal(400, reason, code)
