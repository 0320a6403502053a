"""The catalogues: one .po fragment per stem, read by Babel, looked up by code.

A fragment's msgctxt is the code, its msgid the English sentence, its msgstr the Chinese one. The
extracted comment `fields: name (type), …` declares how each field is formatted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from babel.messages.pofile import read_po

from salesops.model.selection import MADE_UP
from salesops.wording import numbers
from salesops.wording.language import current_language, current_settings

Mark = Callable[[str], str]


@dataclass(frozen=True)
class Entry:
    """One sentence in both languages, with the types of its fields."""

    code: str
    stem: str
    en: tuple[str, ...]
    zh: str
    fields: Mapping[str, str]

    def text(self, lang: str, n: int | None = None) -> str:
        """Give the template; English has a second form for more than one."""
        if lang == "zh":
            return self.zh
        return self.en[0] if len(self.en) == 1 or n == 1 else self.en[1]


class UnknownWording(LookupError):
    """A sentence is asked for that no catalogue has."""


_FIELD = re.compile(r"(\w+) \((\w+)\)")


def _stage(value: Any) -> str:
    for stage in current_settings().stages:
        if stage.id == value:
            return stage.name.zh if current_language() == "zh" else stage.name.en
    return str(value)


def _own(value: Any) -> str:
    return label(value) if str(value).startswith(MADE_UP) else numbers.name(value)


def _term(prefix: str) -> Callable[[Any], str]:
    return lambda value: label(f"{prefix}.{value}")


FORMATS: dict[str, Callable[[Any], str]] = {
    "name": numbers.name,
    "text": numbers.text,
    "stage": _stage,
    "count": numbers.count,
    "counts": lambda values: numbers.listed(numbers.count(v) for v in values),
    "decimal": numbers.decimal,
    "ratio": numbers.ratio,
    "points": numbers.points,
    "exact_points": lambda value: numbers.points(value, exact=True),
    "money": numbers.money,
    "exact": numbers.exact,
    "money_change": lambda value: numbers.money(value, sign=True),
    "days": numbers.days,
    "hours": numbers.hours,
    "money_per_day": numbers.money_per_day,
    "score": numbers.decimal,
    "score3": lambda value: numbers.decimal(value, 3),
    "times": numbers.times,
    "multiple": numbers.multiple,
    "date": numbers.date,
    "short_date": numbers.short_date,
    "period": numbers.period,
    "trust": _term("trust"),
    "role": _term("role"),
    # What people entered stands as it is, what was derived or is canonical has a word.
    "cause": lambda value: label(value, otherwise=str(value)),
    # Names out of a file of needs, of which those of the made-up example have words.
    "own": _own,
    "trigger": lambda value: label(f"trigger.{value}", otherwise=str(value)),
    "flag": lambda value: label("flag.yes" if value else "flag.no"),
    "label": lambda value: label(value),  # noqa: PLW0108 - label is defined below
}


# Codes of the lessons begin so. Their fragments lie in a folder apart: no report reads them.
LESSON = "lesson."
PLAYBOOK = "playbook"


@cache
def entries(part: str = "") -> dict[str, Entry]:
    """Read every fragment of a part: code -> entry. Paragraphs of notebooks are kept apart."""
    found: dict[str, Entry] = {}
    for stem, message in _messages(part):
        if message.context.startswith("notebook:"):
            continue
        found[message.context] = _entry(stem, message)
    return found


@cache
def paragraphs(part: str = "") -> dict[tuple[str, str], str]:
    """Read the prose of the notebooks: (context, English paragraph) -> Chinese paragraph."""
    return {
        (message.context, message.id): message.string
        for _stem, message in _messages(part)
        if message.context.startswith("notebook:")
    }


def _messages(part: str) -> list[tuple[str, Any]]:
    folder = files("salesops.wording").joinpath("locale", "zh", "LC_MESSAGES", part)
    found = []
    for fragment in sorted(folder.iterdir(), key=lambda f: f.name):
        if fragment.name.endswith(".po"):
            with fragment.open("rb") as opened:
                catalogue = read_po(opened, locale="zh")
            found += [(fragment.name.removesuffix(".po"), m) for m in catalogue if m.id]
    return found


def _entry(stem: str, message: Any) -> Entry:
    declared = " ".join(c for c in message.auto_comments if c.startswith("fields:"))
    english = message.id if isinstance(message.id, tuple) else (message.id,)
    chinese = message.string[0] if isinstance(message.string, tuple) else message.string
    return Entry(message.context, stem, english, chinese, dict(_FIELD.findall(declared)))


def _plain(text: str) -> str:
    return text


def say(code: str, /, *, mark: Mark = _plain, **fields: Any) -> str:
    """Say a sentence of the catalogue in the current language.

    Parameters
    ----------
    code
        Its code, such as `funnel.stage_leak`.
    mark
        Wraps each formatted number, for the page's no-break spans.
    **fields
        Raw values; the catalogue knows their types. A field `n` also chooses the plural.

    Raises
    ------
    UnknownWording
        No catalogue has the code.

    Examples
    --------
    >>> say("trust.firm")
    'firm'
    """
    try:
        entry = entries(PLAYBOOK if code.startswith(LESSON) else "")[code]
    except KeyError:
        raise UnknownWording(
            f"No catalogue has the sentence {code!r}. Add it with both languages to "
            "salesops/wording/locale/zh/LC_MESSAGES."
        ) from None
    n = fields.get("n")
    template = entry.text(current_language(), int(n) if n is not None else None)
    shown = {name: _shown(entry, name, value, mark) for name, value in fields.items()}
    return template.format(**shown)


_WORDS = frozenset({"text", "name", "own", "stage", "role", "label", "cause", "trigger"})


def _shown(entry: Entry, name: str, value: Any, mark: Mark) -> str:
    kind = entry.fields.get(name, "text")
    text = FORMATS[kind](value)
    return text if kind in _WORDS else mark(text)


def label(code: str, *, otherwise: str | None = None) -> str:
    """Give a label: an axis, a column head, a role, a bucket.

    `otherwise` stands where no catalogue has it, such as the name of a user's own notebook.
    """
    whole = code if "." in code else f"label.{code}"
    if otherwise is not None and whole not in entries():
        return otherwise
    return say(whole)
