"""A table that a reader acts on or looks something up in."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from salesops.charts.exhibit import Say
from salesops.charts.parts import framed
from salesops.wording import label, say
from salesops.wording.catalogue import FORMATS
from salesops.wording.language import current_settings
from salesops.wording.numbers import MOST_NAME, NULL, cut, plain

# Words that people enter, of any length.
_ENTERED = frozenset({"text", "name", "own", "cause"})
# Wider than this a cell breaks its words into lines; narrower ones stay in one, also on a phone.
_WIDE, _NARROW = 24, 14
_WORDS = frozenset(
    {"text", "name", "own", "stage", "label", "role", "trust", "flag", "cause", "trigger"}
)


@dataclass(frozen=True, kw_only=True, eq=False)
class TableView:
    """A table: columns with a type, numbers right-aligned, a sentence above.

    Attributes
    ----------
    columns
        Column of the frame -> type, one of the catalogue's formats; heads are `column.<name>`.
    caption
        A sentence above the table.
    most
        Rows shown; the caption counts them all.
    optional
        Columns that a phone leaves out.
    total
        Columns summed in the last row, over all rows.
    wrapped
        Columns with sentences, which break into lines.
    """

    frame: pd.DataFrame
    columns: Mapping[str, str]
    caption: Say
    most: int = 15
    optional: frozenset[str] = frozenset()
    total: Mapping[str, float] = field(default_factory=dict)
    wrapped: frozenset[str] = frozenset()

    def html(self) -> str:
        """Give the table with head cells, escaped."""
        heads = "".join(f'<th scope="col"{self._css(c)}>{html.escape(label(f"column.{c}"))}</th>'
                        for c in self.columns)  # fmt: skip
        rows = self._shown().to_dict("records")
        body = "".join(self._row(row) for row in rows)
        caption = self.caption.html()
        if len(self.frame) > self.most:
            more = say("page.more_rows", shown=self.most, n=len(self.frame))
            between = " " if caption.endswith((".", "。")) else " · "
            caption += f"{between}{html.escape(more)}"
        return (f'<table class="sorts"><caption>{caption}</caption><thead><tr>{heads}</tr></thead>'
                f"<tbody>{body}</tbody>{self._foot()}</table>")  # fmt: skip

    def text(self) -> str:
        """Give the table as plain text, for a terminal."""
        shown = self._shown()
        cells = {label(f"column.{c}"): [self._plain(c, v) for v in shown[c]] for c in self.columns}
        body = pd.DataFrame(cells).to_string(index=False)
        if len(self.frame) <= self.most:
            return body
        return body + "\n" + say("page.more_rows", shown=self.most, n=len(self.frame))

    def _shown(self) -> pd.DataFrame:
        """Give the rows that are shown; who has no name goes by the id, to be found in the CRM."""
        shown = self.frame.head(self.most)
        if "name" in self.columns and "id" in shown and "id" not in self.columns:
            return shown.assign(name=shown["name"].where(shown["name"].notna(), shown["id"]))
        return shown

    def _row(self, row: Mapping[Any, Any]) -> str:
        return f"<tr>{''.join(self._data(c, row[c]) for c in self.columns)}</tr>"

    def _data(self, column: str, value: Any) -> str:
        """Give a cell with what it is sorted by; of a name that is cut the whole is told."""
        shown, css = self._plain(column, value), self._css(column)
        told = _order(self.columns[column], value)
        data = "" if told is None else f' data-v="{html.escape(told)}"'
        if self.columns[column] in _ENTERED and column not in self.wrapped and len(shown) > _WIDE:
            css = f'{css[:-1]} long"' if css else ' class="long"'
            # What stands for a code has no longer form.
            entered = "" if shown == NULL else plain(value)
            whole = entered if entered.startswith(shown.removesuffix("…")) else shown
            shown = cut(shown, MOST_NAME)
            data += f' title="{html.escape(whole)}"' if whole != shown else ""
        elif self.columns[column] in _WORDS and _room(shown) <= _NARROW:
            css = f'{css[:-1]} short"' if css else ' class="short"'
        return f"<td{css}{data}>{html.escape(shown)}</td>"

    def _foot(self) -> str:
        if not self.total:
            return ""
        first = next(c for c in self.columns if c not in self.optional)
        cells = []
        for column in self.columns:
            text = self._cell(column, self.total[column]) if column in self.total else ""
            if column == first:
                text = html.escape(say("page.total_rows", n=len(self.frame)))
            cells.append(f"<td{self._css(column)}>{text}</td>")
        return f"<tfoot><tr>{''.join(cells)}</tr></tfoot>"

    def _css(self, column: str) -> str:
        names = [] if self.columns[column] in _WORDS else ["n"]
        names += ["opt"] if column in self.optional else []
        names += ["said"] if column in self.wrapped else []
        return f' class="{" ".join(names)}"' if names else ""

    def _cell(self, column: str, value: Any) -> str:
        return html.escape(self._plain(column, value))

    def _plain(self, column: str, value: Any) -> str:
        if value is None or (isinstance(value, float) and value != value) or value is pd.NaT:
            return "—"
        return FORMATS[self.columns[column]](value)

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/html": framed(self.html()), "text/plain": repr(self.frame.head(self.most))}


def _room(text: str) -> int:
    """Count a Chinese character as two."""
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)


def _order(kind: str, value: Any) -> str | None:
    """Give by what a cell is sorted: a number, a date, a place in the process; words by themselves.

    Null is the empty text: it comes last whichever way.
    """
    if value is None or value != value or value is pd.NaT:
        return ""
    if kind == "stage":
        known = [stage.id for stage in current_settings().stages]
        return str(known.index(value)) if value in known else None
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, int | float | np.number):
        return f"{value:.12g}"
    return None
