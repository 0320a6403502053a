"""A sentence by code, and an exhibit: one sentence, one picture, its totals and its notes."""

import html
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from matplotlib.figure import Figure

from salesops.charts import theme
from salesops.charts.parts import framed, marked, nowrap
from salesops.wording import say

Sensitivity = Literal["team", "manager", "hr"]


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


class Folded(Protocol):
    """What can stand folded under a figure."""

    def html(self) -> str:
        """Give it as a fold of the page."""


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
        Draws the picture at a width in CSS pixels.
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
    draw: Callable[[int], Figure]
    sub: Say | None = None
    note: Say | None = None
    span: int = 1
    sensitivity: Sensitivity = "team"
    behind: "Folded | None" = None

    def figure(self, width: int | None = None) -> Figure:
        """Draw the picture at its own width, or another."""
        with theme.house_theme():
            return self.draw(width or (theme.FULL if self.span == 2 else theme.COLUMN))

    def html(self) -> str:
        """Give the exhibit as a section of the page."""
        alt = self.title.text() + (" " + self.sub.text() if self.sub else "")
        pictures = _image(self.figure(), "full" if self.span == 2 else "", alt)
        if self.span == 2:
            pictures += _image(self.figure(theme.COLUMN), "alt-size", alt)
        parts = [f"<h3>{self.title.html()}</h3>"]
        parts += [f'<p class="sub">{self.sub.html()}</p>'] if self.sub else []
        parts.append(f"<figure>{pictures}</figure>")
        parts += [f'<p class="note">{self.note.html()}</p>'] if self.note else []
        parts += [self.behind.html()] if self.behind else []
        two = " two" if self.span == 2 else ""
        return f'<section class="ex{two}" id="exhibit-{self.key}">{"".join(parts)}</section>'

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
