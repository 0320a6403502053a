"""Secrets by name: `env:NAME` and `keyring:service/name`, looked up only when they are needed."""

import os
import re
from collections.abc import Mapping

_NAME = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|keyring:[^/\s]+/\S+")


def is_name(text: str) -> bool:
    """Say whether a text is the name of a secret.

    Examples
    --------
    >>> [is_name(t) for t in ("env:SMTP_URL", "keyring:salesops/slack", "slack://a/b/c")]
    [True, True, False]
    """
    return _NAME.fullmatch(text) is not None


def look_up(name: str, environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Give the secret behind a name, or nothing and the reason.

    Examples
    --------
    >>> look_up("env:TOKEN", {"TOKEN": "t0p"}), look_up("env:TOKEN", {})
    (('t0p', ''), ('', 'the variable TOKEN is not set'))
    """
    kind, _colon, value = name.partition(":")
    if kind == "env":
        known = os.environ if environment is None else environment
        found = known.get(value, "").strip()
        return found, "" if found else f"the variable {value} is not set"
    return _in_keyring(*value.split("/", 1))


def how_to_set(name: str) -> str:
    """Write the command that sets a secret.

    Examples
    --------
    >>> how_to_set("env:TOKEN"), how_to_set("keyring:salesops/zoho")
    ("export TOKEN='…'", 'keyring set salesops zoho')
    """
    kind, _colon, value = name.partition(":")
    service, _slash, key = value.partition("/")
    return f"keyring set {service} {key}" if kind == "keyring" else f"export {value}='…'"


def _in_keyring(service: str, name: str) -> tuple[str, str]:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return "", "the package keyring is not installed (pip install 'salesops[keyring]')"
    try:
        found = keyring.get_password(service, name) or ""
    except keyring.errors.KeyringError as error:
        return "", f"the keyring can't be read ({error})"
    return found, "" if found else "the keyring has no such entry"
