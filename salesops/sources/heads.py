"""Where a table begins in a sheet: titles above, one or more rows of names."""

import re
from dataclasses import dataclass, field

from salesops.sources.grid import Grid, letters, packed
from salesops.sources.layout import Aside, Decision, Hints, UnreadableFile
from salesops.sources.targetcells import month_of

# Rows in which a table's names are looked for.
SEARCHED = 60
NUMBER = re.compile(
    r"[-+(−－△]?\s*[¥￥$€]?\s*[\d０-９][\d０-９,，.．' ]*(?:[eE][+-]?\d+)?\s*"
    r"(?:[%％]|万元?|亿元?|元|千元?|[kKM])?\)?"
)
_DATE = re.compile(
    r"\d{2,4}\s*[-/.年]\s*\d{1,2}(?:\s*[-/.月]\s*\d{1,4}\s*日?)?(?:[T\s].*)?|\d{1,2}月\d{1,2}日?"
)
_YEAR = re.compile(r"(?:19|20)\d\d年?")
# A title of this form tells something of the whole sheet and is no name of a group of columns.
_TELLS = re.compile(r"[:：]|单位|制表|日期|部门")
# The share of the widest row that a row of names fills at least.
_FULL = 0.6


@dataclass(frozen=True, kw_only=True)
class Head:
    """Rows of names, their columns, and what was noted on the way.

    `parts` holds for each column what the rows of names say of it, from above.
    """

    rows: tuple[int, ...]
    names: dict[int, str]
    parts: dict[int, tuple[str, ...]]
    titles: tuple[tuple[int, str], ...] = ()
    aside: tuple[Aside, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass
class _Sample:
    """The first rows that hold anything, as lists of texts."""

    grid: Grid
    numbers: list[int]
    rows: list[list[str]]
    full: int = field(init=False)

    def __post_init__(self) -> None:
        self.full = max((self.filled(i) for i in range(len(self.rows))), default=0)

    def filled(self, i: int) -> int:
        return sum(1 for text in self.rows[i] if text)

    def typed(self, i: int) -> int:
        """Count cells that hold a number or a date and name neither a year nor a month."""
        return sum(1 for text in self.rows[i] if text and is_typed(text) and not is_month(text))

    def below(self, column: int, start: int) -> tuple[int, int]:
        """Count numbers and dates, and all values, of a column from a row on."""
        texts = [row[column] for row in self.rows[start:] if row[column]]
        return sum(1 for text in texts if is_typed(text)), len(texts)

    def spans(self, i: int) -> list[tuple[int, int]]:
        """Give the merged cells of a row that reach over several columns, but not over all."""
        row = self.numbers[i]
        return [
            (b, d)
            for a, b, c, d in self.grid.merges
            if a <= row <= c and b < d and self.rows[i][b] and d - b + 1 < self.full
        ]


def is_typed(text: str) -> bool:
    """Say whether a text is a number or a date rather than a word.

    Examples
    --------
    >>> [is_typed(t) for t in ("1,234.5", "12.5万", "2026年3月5日", "D-17", "华东")]
    [True, True, True, False, False]
    """
    return NUMBER.fullmatch(text) is not None or _DATE.fullmatch(text) is not None


def is_month(text: str) -> bool:
    """Say whether a text can be the head of a month's or a year's column."""
    return _YEAR.fullmatch(text) is not None or month_of(text) is not None


def find_head(grid: Grid, hints: Hints) -> Head:
    """Find the rows of names in a grid.

    Raises
    ------
    UnreadableFile
        No row can be one of names.
    """
    frame = grid.frame.iloc[:SEARCHED]
    sample = _Sample(grid, [int(n) for n in frame.index], frame.astype(object).to_numpy().tolist())
    if hints.title_rows is not None:
        first = next((i for i, n in enumerate(sample.numbers) if n > hints.title_rows), None)
        if first is None:
            raise UnreadableFile(
                where=grid.where, mend="take away title_rows from the mapping, or lower it.",
                reason=f"it has no row below the {hints.title_rows} of the title",
            )  # fmt: skip
        last = _last_head(sample, first, hints)
    else:
        first, last = _found(sample, hints)
    return _named(sample, first, last, hints)


def _found(sample: _Sample, hints: Hints) -> tuple[int, int]:
    likely = [i for i in range(min(len(sample.rows), 30))
              if sample.filled(i) >= _FULL * sample.full
              and sample.typed(i) <= 0.5 * sample.filled(i)
              and not _is_like_below(sample, i)]  # fmt: skip
    if not likely:
        raise UnreadableFile(
            where=sample.grid.where, reason="none of its first rows holds names of columns",
            mend="put a row of names above the table, or say how many rows stand above the names: "
                 "--answer title_rows=2, in a mapping title_rows = 2.",
        )  # fmt: skip
    first = likely[0]
    _refuse_headless(sample, first)
    if hints.head_rows is None:
        while first > 0 and _is_group_row(sample, first - 1, first):
            first -= 1
    return first, _last_head(sample, first, hints)


def _is_like_below(sample: _Sample, i: int) -> bool:
    """Say whether a row holds numbers or dates where those below do, as records do."""
    return any(
        text and is_typed(text) and not is_month(text) and _is_typed_column(sample, column, i + 1)
        for column, text in enumerate(sample.rows[i])
    )


def _refuse_headless(sample: _Sample, first: int) -> None:
    """Refuse a table whose first records would be taken for its names."""
    above = [i for i in range(first) if sample.filled(i) >= max(3, _FULL * sample.full)]
    if above:
        raise UnreadableFile(
            where=sample.grid.where, reason=f"row {sample.numbers[above[0]]} is as wide as the "
            f"table and holds numbers, above what could be the names in row "
            f"{sample.numbers[first]}", mend="put the row of names above all records, or say "
            "how many rows stand above it: --answer title_rows=2, in a mapping title_rows = 2.",
        )  # fmt: skip


def _is_group_row(sample: _Sample, above: int, below: int) -> bool:
    """Say whether a row names groups of the columns that the row below names."""
    texts = [text for text in sample.rows[above] if text]
    if len(texts) < 2 or sample.typed(above) or any(_TELLS.search(text) for text in texts):
        return bool(texts) and bool(sample.spans(above)) and len(texts) > 1 and not any(
            ":" in t or "：" in t for t in texts) and not sample.typed(above)  # fmt: skip
    if sample.spans(above):
        return True
    if any(text and not sample.rows[below][c] and sample.below(c, below + 1)[1]
           for c, text in enumerate(sample.rows[above])):  # fmt: skip
        # It names what the row below leaves out.
        return True
    lower = [text for text in sample.rows[below] if text]
    return len(set(lower)) < len(lower) and len(texts) < len(lower)


def _last_head(sample: _Sample, first: int, hints: Hints) -> int:
    if hints.head_rows is not None:
        return min(first + max(hints.head_rows, 1) - 1, len(sample.rows) - 1)
    last = first
    while last - first < 2 and last + 1 < len(sample.rows) and _continues(sample, first, last):
        last += 1
    return last


def _continues(sample: _Sample, first: int, last: int) -> bool:
    """Say whether the row below the last row of names is one too."""
    below, row = last + 1, sample.rows[last + 1]
    if sample.typed(below) or sample.filled(below) == 0:
        return False
    start, end = sample.numbers[first], sample.numbers[below]
    if any(a <= end - 1 and c >= end and a >= start for a, b, c, d in sample.grid.merges):
        return True
    if sample.spans(last):
        return True
    typed = sum(
        1
        for column, text in enumerate(row)
        if text and not is_month(text) and _is_typed_column(sample, column, below + 1)
    )
    months = sum(1 for text in row if text and is_month(text))
    upper = sample.rows[last]
    filled = [c for c, text in enumerate(row) if text and not upper[c]]
    left = [c for c, text in enumerate(upper) if text and not row[c]]
    if filled and left:
        # The one names what the other leaves out, as cells merged over two rows look in a text.
        return typed + months >= 1
    if filled:
        return typed + months >= 2 and len({t for t in upper if t}) >= 1
    # A second row of names under a complete one, such as codes of fields under their titles.
    wide = sample.filled(below) >= 0.9 * sample.filled(last)
    return wide and typed >= 2 and not months


def _is_typed_column(sample: _Sample, column: int, start: int) -> bool:
    typed, n = sample.below(column, start)
    return n >= 1 and typed >= 0.9 * n


def _named(sample: _Sample, first: int, last: int, hints: Hints) -> Head:
    grid, numbers = sample.grid, sample.numbers
    rows = [list(sample.rows[i]) for i in range(first, last + 1)]
    upper = rows[0]
    second = last > first and hints.head_rows is None and all(upper[c] for c in range(len(upper))
                                                              if rows[-1][c])  # fmt: skip
    doubled = len({t for t in upper if t}) < sum(1 for t in upper if t)
    aside: list[Aside] = []
    decisions: list[Decision] = []
    if second and not doubled and not any(sample.spans(i) for i in range(first, last)):
        # Titles and codes of the same columns: the titles are the names.
        for i in range(first + 1, last + 1):
            why = "a second row of names stands under a complete one"
            aside.append(Aside(numbers[i], "head", _shown(sample.rows[i]), why))
        rows, last = rows[:1], first
    else:
        for i in range(len(rows)):
            _fill_right(sample, first + i, rows, i)
    heads = tuple(numbers[first : last + 1])
    parts = {c: tuple(dict.fromkeys(packed(row[c]) for row in rows if row[c]))
             for c in range(len(upper))}  # fmt: skip
    names = {c: "/".join(part) for c, part in parts.items()}
    titles = tuple((numbers[i], _shown(sample.rows[i])) for i in range(first))
    if titles:
        decisions.append(Decision(
            f"the names stand in row {numbers[first]}", f"{grid.where} rows {titles[0][0]}-"
            f"{titles[-1][0]}", "the rows above are a title: they fill few of the columns",
            f"title_rows = {numbers[first] - 1}"))  # fmt: skip
    if len(heads) > 1:
        decisions.append(Decision(
            f"rows {heads[0]} to {heads[-1]} are joined to names such as "
            f"{next((n for n in names.values() if '/' in n), '')!r}", grid.where,
            "no records stand in them and their cells complete each other",
            f"head_rows = {len(heads)}"))  # fmt: skip
    return Head(rows=heads, names=names, parts=parts, titles=titles, aside=tuple(aside),
                decisions=tuple(decisions))  # fmt: skip


def _fill_right(sample: _Sample, i: int, rows: list[list[str]], at: int) -> None:
    """Give the name of a group to all its columns."""
    if at == len(rows) - 1:
        return
    spans = sample.spans(i)
    if sample.grid.merges:
        for b, d in spans:
            rows[at][b : d + 1] = [rows[at][b]] * (d - b + 1)
        return
    group = ""
    for column, text in enumerate(rows[at]):
        lower = any(rows[k][column] for k in range(at + 1, len(rows)))
        if text:
            group = text if lower else ""
        elif lower and group:
            rows[at][column] = group


def _shown(row: list[str]) -> str:
    return " | ".join(text for text in row if text)[:200]


def column_name(name: str, column: int, taken: set[str]) -> str:
    """Give a column without a name the one by which spreadsheets call it."""
    if name:
        return name
    made = f"column {letters(column)}"
    return made if made not in taken else f"{made} (no name)"
