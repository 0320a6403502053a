"""Keeping secrets out of what is written: pages, notebooks, records, logs.

What is masked:

- The values of the environment's variables whose names speak of a secret (`TOKEN`, `SECRET`,
  `PASSWORD`, `KEY`, …), and of the addresses that were resolved by name.
- User and password of a URL, and parameters such as `key` or `access_token` in one, in the values
  of all variables and in any text, whether the environment knows them or not.

Each is found as it is, in a URL, in JSON, in HTML, as Python writes it, and in a picture's text.

A value that could be part of an ordinary text is not masked wherever it stands, since reports
would lose words and numbers: under six characters, under eight letters or digits alone, a
word such as `password` or `localhost`, a path of this machine. It is masked behind its
name, as in `DB_PASSWORD=abc`. What is drawn into the shapes of a picture or packed as base64 is
not looked into.
"""

import html
import json
import logging
import os
import re
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

MASK = "***"
# Anywhere in a name, or as one of its parts.
_WITHIN = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "APIKEY", "WEBHOOK")
_PARTS = frozenset({"KEY", "KEYS", "PWD", "PASS", "PW", "AUTH", "PAT", "SIG", "COOKIE", "DSN"})
_COMMON = frozenset({
    "true", "false", "none", "null", "password", "passwd", "secret", "token", "changeme",
    "change-me", "default", "postgres", "postgresql", "localhost", "127.0.0.1", "anonymous",
    "administrator", "disabled", "enabled", "required", "example", "production", "development",
})  # fmt: skip
SHORTEST = 6
SHORTEST_PLAIN = 8
_USER = re.compile(r"(?<=://)([^\s/@:'\"<>\\]*):([^\s/@'\"<>\\]+)@")
_URL = re.compile(r"https?://[^\s'\"<>\\]+")
_QUERY = re.compile(
    r"((?:[?&;]|&amp;)(?:access_?token|token|key|api_?key|sig|sign|signature|secret|password"
    r"|passwd|pwd|auth)=)[^&;#\s]+",
    re.IGNORECASE,
)
# Apprise's own addresses carry their token as host and path: slack://T1/B2/c3.
_HOOK = re.compile(
    r"(https?://(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)"
    r"|open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook)/)[^\s'\"<>\\?#]+"
)
_PICTURE = " ='():/;,.-_!*"  # what a picture's text leaves unquoted
_BETWEEN = r"""\\?['"]?\s*[:=]\s*\\?['"]?"""  # a name and its value, in a shell, Python or JSON
_NOT_TEXT = ("image/png", "image/jpeg", "image/gif", "application/pdf")


def is_secret_name(name: str) -> bool:
    """Say whether a variable's name speaks of a secret.

    Examples
    --------
    >>> [is_secret_name(n) for n in ("CRM_TOKEN", "DBPASSWORD", "API_KEY", "KEYBOARD", "PWD")]
    [True, True, True, False, False]
    """
    upper = name.upper()
    if upper in ("PWD", "OLDPWD"):
        return False
    return any(word in upper for word in _WITHIN) or not _PARTS.isdisjoint(upper.split("_"))


def is_distinct(value: str) -> bool:
    """Say whether a value is so distinct that it may be masked wherever it stands.

    Examples
    --------
    >>> [is_distinct(v) for v in ("s3cr3t!", "abc", "true", "sunny", "/usr/bin", "4711")]
    [True, False, False, False, False, False]
    """
    plain = value.isalpha() or value.isdigit()
    if len(value) < (SHORTEST_PLAIN if plain else SHORTEST) or value.lower() in _COMMON:
        return False
    return not _is_path(value)


def _is_path(value: str) -> bool:
    if re.match(r"(~|\.{1,2})?/|[A-Za-z]:[\\/]", value) is None:
        return False
    # A random value may begin with a slash; a path of this machine begins with a folder of it.
    first = Path(value.split(os.pathsep, maxsplit=1)[0])
    return value[0] != "/" or any(p.exists() for p in (first, *first.parents) if p != Path("/"))


def _in_urls(text: str) -> set[str]:
    """Find the passwords and tokens inside the URLs of a text."""
    found = {match[2] for match in _USER.finditer(text)}
    for match in _QUERY.finditer(text):
        found.add(match[0][len(match[1]) :])
    for match in _HOOK.finditer(text):
        tail = match[0][len(match[1]) :].rstrip("/")
        found |= {tail, tail.rpartition("/")[2]}
    return found | {urllib.parse.unquote(value) for value in found}


def _in_address(address: str) -> set[str]:
    """Find the tokens in an address such as `dingtalk://SECRET@TOKEN/`."""
    split = urllib.parse.urlsplit(address)
    if not split.netloc or split.scheme in ("http", "https", "smtp", "smtps"):
        return set()
    parts = {*re.split("[@:]", split.netloc), *split.path.split("/")}
    return {urllib.parse.unquote(part) for part in parts if len(part) >= SHORTEST_PLAIN}


def _forms(value: str) -> set[str]:
    """Write a value as it may stand in a page, a notebook, a URL or a log."""
    quoted = [urllib.parse.quote(value, safe=safe) for safe in ("", "/", _PICTURE)]
    # So papermill writes a parameter into the notebook's source.
    escaped = value.encode("unicode_escape").decode()
    plain = {value, escaped, escaped.replace('"', '\\"'), *quoted,
             urllib.parse.quote_plus(value), html.escape(value),
             html.escape(value, quote=False), repr(value)[1:-1]}  # fmt: skip
    plain |= {re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), form) for form in quoted}
    written = {json.dumps(form, ensure_ascii=ascii_)[1:-1] for form in plain
               for ascii_ in (True, False)}  # fmt: skip
    # Text that is JSON inside JSON, as a displayed record in a notebook's file.
    return plain | written | {json.dumps(form)[1:-1] for form in written}


def _lines(value: str) -> list[str]:
    """Give the lines of a key that has many, for each may be shown alone."""
    lines = [line.strip() for line in value.splitlines()]
    return [line for line in lines if len(line) >= 16 and "-----" not in line] if lines[1:] else []


def _core(value: str) -> str:
    """Give the longest part of a value that is the same in all its forms."""
    return max(re.findall("[A-Za-z0-9]+", value), key=len, default="")


class Masker:
    """Masks secrets in texts and notebooks; built once per run."""

    def __init__(self, secrets: Iterable[str], named: Mapping[str, str] | None = None) -> None:
        """Take secrets that are masked wherever they stand, and those masked behind their name."""
        known = {part for value in secrets for part in (value, *_lines(value))}
        self._secrets = [
            (_core(value), sorted(_forms(value), key=len, reverse=True))
            for value in sorted(known, key=lambda value: (-len(value), value))
        ]
        self._named = [
            (value, re.compile(rf"({re.escape(name)}{_BETWEEN}){re.escape(value)}"))
            for name, value in (named or {}).items()
        ]

    @classmethod
    def of_environment(
        cls,
        *,
        resolved: Iterable[str] = (),
        addresses: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> "Masker":
        """Learn what is secret.

        Parameters
        ----------
        resolved
            Values that were looked up by name, in the environment or a keyring.
        addresses
            Texts that may hold a URL with a password, such as where the book is.
        environment
            By default that of this process.
        """
        known = os.environ if environment is None else environment
        named = {name: value.strip() for name, value in known.items() if is_secret_name(name)}
        found = {*named.values(), *resolved}
        for text in (*known.values(), *addresses, *resolved):
            found |= _in_urls(text)
        for value in resolved:
            found |= _in_address(value)
        secrets = {value for value in found if is_distinct(value)}
        short = {name: value for name, value in named.items() if value and value not in secrets}
        return cls(secrets, short)

    def mask_text(self, text: str) -> str:
        """Give a text with every secret in it masked.

        Examples
        --------
        >>> masker = Masker.of_environment(environment={"CRM_TOKEN": "s3cr3t/!"})
        >>> masker.mask_text('key=s3cr3t%2F%21, postgres://me:hush@db/crm, {"t": "s3cr3t/!"}')
        'key=***, postgres://***@db/crm, {"t": "***"}'
        """
        for core, forms in self._secrets:
            # Most pages hold none: one look instead of one for each form.
            for form in forms if core in text else ():
                if form in text:
                    text = text.replace(form, MASK)
        for value, pattern in self._named:
            if value in text:
                text = pattern.sub(rf"\g<1>{MASK}", text)
        if "://" in text:
            text = _USER.sub(f"{MASK}@", text)
            text = _HOOK.sub(rf"\g<1>{MASK}", text)
            text = _URL.sub(_masked_url, text)
        return text

    def mask_notebook(self, notebook: Any) -> Any:
        """Give a copy of a notebook with secrets masked in sources, outputs and metadata."""
        return self._masked(notebook)

    def mask_data(self, value: Any) -> Any:
        """Give a copy of plain data, such as a run's record, with its texts masked."""
        return self._masked(value)

    def _masked(self, value: Any, kind: str = "") -> Any:
        if isinstance(value, str):
            return value if kind in _NOT_TEXT else self.mask_text(value)
        if isinstance(value, Mapping):
            masked = {self._masked(key): self._masked(item, str(key))
                      for key, item in value.items()}  # fmt: skip
            # A notebook's nodes are mappings with attributes.
            return type(value)(masked) if isinstance(value, dict) else masked
        if isinstance(value, list | tuple):
            items = [self._masked(item, kind) for item in _joined(value)]
            return items if isinstance(value, list) else tuple(items)
        return value

    def log_filter(self) -> logging.Filter:
        """Give a filter for log handlers, so that no record tells a secret."""
        return _LogFilter(self)


def _masked_url(match: re.Match[str]) -> str:
    return _QUERY.sub(rf"\g<1>{MASK}", match[0]) if "=" in match[0] else match[0]


def _joined(items: Sequence[Any]) -> list[Any]:
    """Join what a cell printed in pieces, which may have cut a secret in two."""
    found: list[Any] = []
    for item in items:
        before: Any = found[-1] if found else None
        if _is_stream(item) and _is_stream(before) and item["name"] == before["name"]:
            text = "".join(before["text"]) + "".join(item["text"])
            found[-1] = type(before)({**before, "text": text})
        else:
            found.append(item)
    return found


def _is_stream(item: Any) -> bool:
    return isinstance(item, dict) and item.get("output_type") == "stream"


class _LogFilter(logging.Filter):
    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self._masker = masker

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask a record's message and its traceback; it is never dropped."""
        record.msg, record.args = self._masker.mask_text(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._masker.mask_text(record.exc_text)
        return True
