"""A sentence by code, and an exhibit: one sentence, one picture, its totals and its notes."""

import html
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.parts import framed, marked, nowrap
from salesops.model.sensitivity import Sensitivity
from salesops.wording import say


@dataclass(frozen=True)
class Say:
    """A sentence by its code and raw fields; it becomes words when it is shown."""

    code: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Give the sentence in the current language."""
        return say(self.code, **self.fields)

    def html(self) -> str:
        """Give the sentence escaped, its numbers kept with their units."""
        return marked(say(self.code, mark=nowrap, **self.fields))


class Part(Protocol):
    """What can stand in an exhibit: a table, or a fold under it."""

    def html(self) -> str:
        """Give it as a part of the page."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Exhibit:
    """One exhibit of a report; shows itself in Jupyter and on the page.

    Attributes
    ----------
    key
        Its name within the report.
    title
        The finding as a sentence.
    draw
        Draws the picture at a width in CSS pixels; null where a table says it better.
    table
        Rows to act on or to look up, below the picture or in its place.
    sub, note
        Totals with their comparisons; n, period and exclusions.
    span
        Columns of the page's grid that it takes.
    sensitivity
        Who may see it.
    behind
        The number behind the figure with its definition and rows, folded under it.
    """

    key: str
    title: Say
    draw: Callable[[int], Figure] | None = None
    table: "Part | None" = None
    sub: Say | None = None
    note: Say | None = None
    span: int = 1
    sensitivity: Sensitivity = "team"
    behind: "Part | None" = None

    def __post_init__(self) -> None:
        if self.draw is None and self.table is None:
            raise TypeError(f"exhibit {self.key}: give a picture or a table")

    def figure(self, width: int | None = None) -> Figure:
        """Draw the picture at its own width, or another."""
        assert self.draw is not None  # a table has no picture
        with theme.house_theme():
            return self.draw(width or (theme.FULL if self.span == 2 else theme.COLUMN))

    def html(self) -> str:
        """Give the exhibit as a section of the page."""
        parts = [f"<h3>{self.title.html()}</h3>"]
        parts += [f'<p class="sub">{self.sub.html()}</p>'] if self.sub else []
        parts += [f"<figure>{self._pictures()}</figure>"] if self.draw else []
        parts += [self.table.html()] if self.table else []
        parts += [f'<p class="note">{self.note.html()}</p>'] if self.note else []
        parts += [self.behind.html()] if self.behind else []
        two = " two" if self.span == 2 else ""
        return f'<section class="ex{two}" id="exhibit-{self.key}">{"".join(parts)}</section>'

    def alt(self) -> str:
        """Say in words what the picture shows."""
        return self.title.text() + (" " + self.sub.text() if self.sub else "")

    def _pictures(self) -> str:
        alt = self.alt()
        shown = _image(self.figure(), "full" if self.span == 2 else "", alt)
        if self.span == 2:
            shown += _image(self.figure(theme.COLUMN), "alt-size", alt)
        return shown

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/html": framed(self.html()), "text/plain": self.title.text()}


def _image(fig: Figure, css: str, alt: str) -> str:
    width, height = (round(inch * 96) for inch in fig.get_size_inches())
    data = urllib.parse.quote(theme.svg(fig).replace('"', "'"), safe=" ='():/;,.-_!*")
    kind = f' class="{css}"' if css else ""
    return (
        f'<img{kind} src="data:image/svg+xml,{data}" width="{width}" height="{height}" '
        f'alt="{html.escape(alt)}">'
    )
