"""Rows of a sheet that are no records: totals, subtotals, repeated heads, notes below."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from salesops.sources.grid import Grid
from salesops.sources.heads import NUMBER, is_typed
from salesops.sources.layout import Aside, Decision, Hints, UnreadableFile
from salesops.sources.values import decimal_sign, number_of

_LABEL = re.compile(
    r".{0,16}(?:合计|总计|小计|共计|总和|累计)(?:金额|数)?[:：]?(?:[(（].*[)）])?"
    r"|(?:grand|sub|over-?all)?[ -]*totals?\s*:?|sum\s*:?"
    r"|.{1,40}[ -](?:sub-?)?totals?\s*:?|(?:sub-?)?totals?\s+(?:for|of)\s+.{1,40}",
    re.IGNORECASE,
)
# What can be found in each of them, faster.
_WORDS = r"计|总和|otal|OTAL|(?i:^sum)"
_NOTE = re.compile(r"(?:注|备注|说明|制表|审核|复核|数据来源|来源|打印|导出|Notes?|Source|Printed|"
                   r"Exported|Generated|Copyright|Confidential)\s*[\d一二三]?\s*[:：.、 ].*",
                   re.IGNORECASE | re.DOTALL)  # fmt: skip
# What stands behind a number that has its own unit.
_SCALED = r"\s*(?:百?万|亿|千)元?$"
# A row that fills this share of what most do is a record, whatever it is called.
_WHOLE = 0.7
# In a narrower table a row with one value says little.
_LEAST = 3
_NEARLY = 0.8


@dataclass
class Sorted:
    """The rows that are records, and the others with their reasons."""

    frame: pd.DataFrame
    aside: list[Aside] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    _counted: tuple[pd.DataFrame, Any] | None = None

    def filled(self) -> Any:
        """Count the cells of each row that hold anything; of the same rows once."""
        if self._counted is None or self._counted[0] is not self.frame:
            self._counted = self.frame, _filled(self.frame)
        return self._counted[1]


def sort_rows(grid: Grid, frame: pd.DataFrame, heads: list[list[str]], hints: Hints) -> Sorted:
    """Set apart what is no record.

    Parameters
    ----------
    grid
        The sheet, for places in messages.
    frame
        The rows below the names, columns as positions, merged cells filled.
    heads
        The rows of names, which printed pages repeat.
    hints
        What the mapping tells.

    Raises
    ------
    UnreadableFile
        A row may be a record or not, and only people can say which; the message names it.
    """
    done = Sorted(frame)
    _drop(done, [r for r in frame.index if r in set(hints.drop)] if hints.drop else [],
          "told", "the mapping says so")  # fmt: skip
    keep = set(hints.keep)
    _numbers_alone(done, done.filled(), keep)
    filled = done.filled()
    usual = float(np.median(filled)) if len(filled) else 0.0
    _repeated_heads(done, heads, keep)
    _notes_below(done, usual, keep)
    _totals(done, grid, usual, keep)
    _alone(done, grid, usual, hints, keep)
    _second_table(done, grid, keep)
    return done


def _filled(frame: pd.DataFrame) -> Any:
    counts = np.zeros(len(frame), dtype=np.int32)
    for column in frame.columns:
        counts += (frame[column] != "").to_numpy(dtype=bool)
    return counts


def _cells(frame: pd.DataFrame, row: int) -> dict[int, str]:
    values = frame.loc[row]
    return {int(c): str(v) for c, v in values.items() if v}


def _shown(cells: dict[int, str]) -> str:
    return " | ".join(cells.values())[:200]


def _drop(done: Sorted, rows: list[int], kind: Any, why: str) -> None:
    # A frame without the rows is a copy, which a large one is spared.
    if rows:
        done.aside += [Aside(int(r), kind, _shown(_cells(done.frame, r)), why) for r in rows]
        done.frame = done.frame.drop(index=rows)


def _repeated_heads(done: Sorted, heads: list[list[str]], keep: set[int]) -> None:
    for head in heads:
        named = [(c, text) for c, text in enumerate(head) if text and c in done.frame.columns]
        if len(named) < 2 or not len(done.frame):
            continue
        same = done.frame[named[0][0]] == named[0][1]
        for column, text in named[1:]:
            if not same.any():
                break
            same &= done.frame[column] == text
        rows = [r for r in done.frame.index[same.to_numpy(dtype=bool)] if r not in keep]
        _drop(done, rows, "head", "the names stand there again")


def _notes_below(done: Sorted, usual: float, keep: set[int]) -> None:
    """Set notes under the table apart: few cells, all words, telling something of the sheet."""
    rows = []
    for row in reversed(done.frame.index[-12:].tolist()):
        cells = _cells(done.frame, row)
        words = all(":" in t or "：" in t or _NOTE.fullmatch(t) for t in cells.values())
        if row in keep or usual < 2 or len(cells) > 0.5 * usual or not words:
            break
        rows.append(row)
    _drop(done, rows[::-1], "note", "it stands below the table and tells of the sheet")


def _numbers_alone(done: Sorted, counts: Any, keep: set[int]) -> None:
    """Set apart rows that a form has numbered beforehand and nobody has filled in."""
    if not (counts == 1).any() or not (counts >= _LEAST).any():
        return
    for column in done.frame.columns:
        texts = done.frame[column]
        rows = [int(r) for r in done.frame.index[(counts == 1) & (texts != "").to_numpy(dtype=bool)]
                if r not in keep]  # fmt: skip
        if not rows:
            continue
        numbers = pd.to_numeric(texts, errors="coerce").dropna()
        steps = numbers.diff().dropna()
        # Subtotals have no number, and rows that were deleted leave a gap.
        if len(numbers) >= _NEARLY * len(texts) and (steps > 0).all() and steps.median() == 1:
            _drop(done, rows, "note", "it holds its running number alone")
            return


def _totals(done: Sorted, grid: Grid, usual: float, keep: set[int]) -> None:
    rows = [r for r in _labelled(done.frame, grid) if r not in keep]
    last = done.frame.index[-1] if len(done.frame) else None
    if last is not None and last not in rows and last not in keep:
        cells = _cells(done.frame, last)
        if 0 < len(cells) < usual and all(NUMBER.fullmatch(t) for t in cells.values()):
            rows.append(last)
    if not rows:
        return
    rows = [r for r in rows if not _is_record(done, grid, r, usual)]
    sums = _Sums(done.frame, rows, grid.separator)
    chosen: list[Aside] = []
    for row in rows:
        cells = _cells(done.frame, row)
        aside = _judged(done, grid, row, cells, sums, usual)
        if aside is not None:
            chosen.append(aside)
            sums.ended(row)
    done.aside += chosen
    if chosen:
        done.frame = done.frame.drop(index=[a.row for a in chosen])
        shown = ", ".join(str(a.row) for a in chosen[:8]) + ("…" if len(chosen) > 8 else "")
        done.decisions.append(Decision(
            f"{len(chosen)} rows of totals are left out (rows {shown})", grid.where,
            chosen[0].why, f"keep = [{chosen[0].row}]"))  # fmt: skip


def _labelled(frame: pd.DataFrame, grid: Grid) -> list[int]:
    if not grid.may_total or not len(frame):
        return []
    found: list[int] = []
    for column in frame.columns:
        maybe = frame[column].str.contains(_WORDS, regex=True)
        if maybe.any():
            texts = frame.loc[maybe.to_numpy(dtype=bool), column]
            found += [r for r, t in texts.items() if _is_label(t)]
    return sorted(set(found))


@dataclass
class _Sums:
    """What columns add up to, between rows that may be totals."""

    frame: pd.DataFrame
    candidates: list[int]
    separator: str
    begun: int = 0
    signs: dict[int, str] = field(default_factory=dict)
    numbers: dict[tuple[int, bool], pd.Series] = field(default_factory=dict)

    def number(self, column: int, text: str) -> Decimal | None:
        """Read a number with the decimal sign of its column."""
        if column not in self.signs:
            texts = list(self.frame[column].iloc[:2000])
            self.signs[column] = decimal_sign(texts) if self.separator == ";" else ""
        return number_of(text, self.signs[column]) if NUMBER.fullmatch(text) else None

    def equal(self, row: int, column: int, value: Decimal) -> str:
        """Name the rows of which a value is the sum; empty where it is none."""
        told = self._is_sum(row, self._read(column, bare=False), value)
        if not told and self.frame[column].str.contains(_SCALED, regex=True).any():
            # Of 35 and 120万 under 单位：万元 the sum is 155.
            told = self._is_sum(row, self._read(column, bare=True), value)
        return told

    def _read(self, column: int, *, bare: bool) -> pd.Series:
        if (column, bare) not in self.numbers:
            texts = self.frame[column]
            texts = texts.str.replace(_SCALED, "", regex=True) if bare else texts
            self.numbers[column, bare] = texts.map(
                lambda t: float(self.number(column, t) or 0) if t else 0.0
            ).astype("float64")
        return self.numbers[column, bare]

    def _is_sum(self, row: int, numbers: pd.Series, value: Decimal) -> str:
        plain = numbers.drop(index=[c for c in self.candidates if c in numbers.index])
        above, below = plain[plain.index < row], plain[plain.index > row]
        for part in (above[above.index > self.begun], above, below, plain):
            n = int((part != 0).sum())
            wanted = float(value)
            near = 0.006 * n**0.5 + 1e-9 * abs(wanted)
            if n and abs(float(part.sum()) - wanted) <= near:
                return f"rows {part.index[0]} to {part.index[-1]}"
        return ""

    def ended(self, row: int) -> None:
        """Begin a new part below a row that is a total."""
        self.begun = row


def _is_label(text: str) -> bool:
    """Say whether a text is a word for a total; people space it out."""
    return bool(_LABEL.fullmatch(re.sub(r"\s+", "", text))
                or _LABEL.fullmatch(re.sub(r"\s+", " ", text)))  # fmt: skip


def _is_record(done: Sorted, grid: Grid, row: int, usual: float) -> bool:
    """Say whether a row is filled as records are, though it is called a total."""
    cells = _cells(done.frame, row)
    words = [t for t in cells.values() if not is_typed(t)]
    labels = [t for t in words if _is_label(t)]
    if len(cells) < _WHOLE * usual or len(words) - len(labels) < 2:
        return False
    if labels:
        done.decisions.append(Decision(
            f"row {row} ({labels[0]!r}) is kept as a record", grid.at(row),
            "it is filled as records are", f"drop = [{row}]"))  # fmt: skip
    return True


def _judged(
    done: Sorted, grid: Grid, row: int, cells: dict[int, str], sums: _Sums, usual: float
) -> Aside | None:
    """Say whether a row that is called a total is one, by its sums and by what else it holds."""
    numbers = {c: v for c, t in cells.items() if (v := sums.number(c, t)) is not None}
    words = [t for c, t in cells.items() if c not in numbers]
    labels = [t for t in words if _is_label(t)]
    others = len(words) - len(labels)
    agree = {c: told for c, value in numbers.items() if (told := sums.equal(row, c, value))}
    if agree and (labels or len(agree) == len(numbers)):
        column, told = next(iter(agree.items()))
        return Aside(row, "total", _shown(cells), f"{cells[column]} is the sum of {told}")
    if labels and others == 0:
        why = f"{labels[0]!r} stands there and no record"
        if numbers:
            column, value = next(iter(numbers.items()))
            what = f"the total in row {row} is left out, and is not the sum of the rows"
            said = f"{value} stands there; rows may be missing or hidden"
            done.decisions.append(Decision(what, grid.at(row, column), said))
        return Aside(row, "total", _shown(cells), why)
    if not labels:
        return None
    raise UnreadableFile(
        where=grid.at(row), reason=f"{_shown(cells)!r} can be a total or a record",
        mend=f"say which it is: --answer drop={row} or --answer keep={row}; in a mapping drop = "
             f"[{row}] or keep = [{row}].",
    )  # fmt: skip


def _alone(done: Sorted, grid: Grid, usual: float, hints: Hints, keep: set[int]) -> None:
    """Refuse rows with one value alone amid wide ones, as headings of sections are."""
    if usual < _LEAST or not len(done.frame):
        return
    counts = done.filled()
    rows = [r for r in done.frame.index[counts == 1] if r not in keep]
    rows = [r for r in rows if not is_typed(next(iter(_cells(done.frame, r).values())))]
    if not rows or hints.alone == "keep":
        return
    if hints.alone == "drop":
        _drop(done, rows, "note", "it holds one value alone, and the mapping leaves such rows out")
        return
    shown = _shown(_cells(done.frame, rows[0]))
    raise UnreadableFile(
        where=grid.at(rows[0]), mend="say what such rows are: --answer alone=drop leaves them out, "
        '--answer alone=keep takes them for records; in a mapping alone = "drop", alone = "keep".',
        reason=f"{shown!r} stands alone where other rows hold {usual:.0f} values; it can be a "
        f"heading or a record ({len(rows)} such rows)",
    )  # fmt: skip


def _second_table(done: Sorted, grid: Grid, keep: set[int]) -> None:
    """Refuse a sheet in which another table begins below an empty row."""
    index = done.frame.index.to_numpy()
    if len(index) < 3:
        return
    gaps = index[1:][np.diff(index) > 1]
    if not len(gaps) or len(gaps) > 200:
        return
    for row in gaps:
        above = done.frame[done.frame.index < row].iloc[-100:]
        filled = {c: texts[texts != ""] for c, texts in above.items()}
        typed = [c for c, t in filled.items() if len(t) and t.map(is_typed).mean() >= 0.9]
        cells = _cells(done.frame, row)
        words = [c for c in typed if c in cells and not is_typed(cells[c])]
        if row not in keep and len(words) >= 2 and not any(is_typed(t) for t in cells.values()):
            raise UnreadableFile(
                where=grid.at(int(row)), reason=f"another table begins there: {_shown(cells)}",
                mend="put it on a sheet of its own, or keep one table alone in the file.",
            )  # fmt: skip
