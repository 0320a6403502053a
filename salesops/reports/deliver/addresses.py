"""Addresses by name: `env:NAME` and `keyring:service/name`, looked up only when something is sent.

A mail address may be written as it is. The address of a chat is a secret, since whoever has it can
write into the chat: it is the webhook that the service shows, or an address as apprise writes it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from salesops.model.errors import SalesopsError
from salesops.model.secretnames import how_to_set, is_name, look_up

__all__ = ["Address", "NoAddress", "address_of", "is_mail_address", "is_name", "resolve"]

_MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[\w-]+(\.[\w-]+)+")


@dataclass(eq=False, kw_only=True)
class NoAddress(SalesopsError, LookupError):
    """The name of an address leads to nothing."""

    name: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The address {self.name} can't be looked up: {self.reason}.\n"
            "Expected: a mail address, a chat's webhook or an address as apprise writes it.\n"
            f"Set it, where reports are sent from: {how_to_set(self.name)}"
        )


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where something is sent.

    Attributes
    ----------
    name
        As the plan writes it; safe to be shown and kept.
    kind
        `mail` or `chat`.
    value
        The address itself, which is a secret where it is a chat's.
    """

    name: str
    kind: Literal["mail", "chat"]
    value: str

    def __repr__(self) -> str:
        return f"<Address {self.name}>"


def is_mail_address(text: str) -> bool:
    r"""Say whether a text is a mail address.

    Examples
    --------
    >>> [is_mail_address(t) for t in ("li@example.com", "李@例子.中国", "a@b", "x\n@y.com")]
    [True, True, False, False]
    """
    return _MAIL.fullmatch(text) is not None


def resolve(name: str, environment: Mapping[str, str] | None = None) -> str:
    """Look up the value behind a name.

    Raises
    ------
    NoAddress
        It is not set, or there is no keyring.
    """
    found, reason = look_up(name, environment)
    if not found:
        raise NoAddress(name=name, reason=reason)
    return found


def address_of(written: str, environment: Mapping[str, str] | None = None) -> Address:
    """Give the address that a plan writes or names.

    Raises
    ------
    NoAddress
        A name leads to nothing.
    """
    value = resolve(written, environment) if is_name(written) else written
    value = value.removeprefix("mailto:")
    kind: Literal["mail", "chat"] = "mail" if is_mail_address(value) else "chat"
    return Address(name=written, kind=kind, value=value)
