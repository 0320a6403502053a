"""What the parts of a page share: escaping, the frame for Jupyter, lists of names and values."""

import datetime as dt
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from salesops.wording import current_language

RESULT_MIME = "application/vnd.salesops.result+json"
# Where a result's head ends and the factory puts the links to other pages.
LINKS = "<!--links-->"


def nowrap(number: str) -> str:
    """Mark a number so that it stays with its unit; undone by `marked`."""
    return f"\x01{number}\x02"


def marked(text: str) -> str:
    """Escape a text and turn its marks into no-break spans; a mark alone, which was data, goes."""
    spans = re.sub("\x01([^\x01\x02]*)\x02", r'<span class="nw">\1</span>', html.escape(text))
    return re.sub("[\x01\x02]", "", spans)


@cache
def stylesheet() -> str:
    """Give the styles of a page: the design's tokens, then what the pages add."""
    folder = files("salesops.charts")
    names = ("tokens.css", "page.css")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


@cache
def notebook_style() -> str:
    """Give the styles for a part shown in Jupyter, which leave the rest of it alone."""
    tokens, _page, own_rules = stylesheet().partition("@page")
    own_rules = own_rules[own_rules.index("/* What the pages add") :]
    text = tokens + own_rules.split("@media print")[0]
    for root, own in ((":root:lang", ":scope:lang"), (":root", ":scope"), ("html {", ":scope {"),
                      ("body {", ":scope {")):  # fmt: skip
        text = text.replace(root, own)
    return f"<style>@scope (.salesops) {{ {text} }}</style>"


def framed(part: str, *, styled: bool = False) -> str:
    """Wrap a part for a notebook; the head brings the styles for all."""
    style = notebook_style() if styled else ""
    return f'{style}<div class="salesops" lang="{current_language()}">{part}</div>'


def unframed(shown: str) -> str:
    """Take the part out of its frame; other HTML is given back as it is."""
    head, opened, tail = shown.partition('<div class="salesops" lang="')
    if not opened or head.strip("\n") not in ("", notebook_style()):
        return shown
    return tail[tail.index(">") + 1 :].removesuffix("</div>")


@dataclass(frozen=True)
class Shown:
    """A ready part of a page."""

    page: str
    plain: str

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/html": framed(self.page), "text/plain": self.plain}


def definitions(pairs: Sequence[tuple[str, str]]) -> str:
    """Give a list of names and values."""
    listed = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in pairs)
    return f'<dl class="how">{listed}</dl>'


def as_json(value: Any) -> Any:
    """Turn facts into what JSON can hold: dates as ISO text, not-a-number as null."""
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): as_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(v) for v in value]
    if hasattr(value, "item"):
        return as_json(value.item())
    return value


def to_json(value: Any) -> str:
    """Write facts as JSON text."""
    return json.dumps(as_json(value), ensure_ascii=False, indent=1)
