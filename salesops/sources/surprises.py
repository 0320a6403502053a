"""What a later export of the same company can't be: other records, half of them, or undated."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from salesops.book.snapshots import canonical_text, moving_fields
from salesops.model.errors import SalesopsError
from salesops.sources.questions import Desk, Question

# Of the deals of before so many may be gone without a question, and a few always.
_GONE, _FEW_GONE = 0.2, 10
# Of the deals that both exports have so many may have another date and customer.
_OTHER, _FEW_OTHER = 0.1, 3
GONE, OTHER = "gone", "other_system"
_STABLE = ("created_at", "account_id")


@dataclass(eq=False, kw_only=True)
class OtherRecords(SalesopsError, ValueError):
    """The ids of an export are those of the book, but they name other deals."""

    n: int
    both: int
    example: str

    def __str__(self) -> str:
        return (
            f"The ids name other deals than before: {self.n} of {self.both} that both exports have "
            f"differ in their date of creation and in their customer, such as {self.example}.\n"
            "Expected: a later export of the same company, in which an id stays with its deal.\n"
            "Import another company into a folder of its own (--into). Where ids are numbers of "
            "rows, name a column that does not move, such as --answer id=COLUMN, and import all "
            "exports anew."
        )


@dataclass(eq=False, kw_only=True)
class UndatedExport(SalesopsError, ValueError):
    """An export differs from the last one, and nothing in it says that it is later."""

    known: dt.datetime
    n: int

    def __str__(self) -> str:
        return (
            f"This export differs from the last one in {self.n} values, and nothing in it is later "
            f"than {self.known:%Y-%m-%d %H:%M} UTC, up to which the book knows already.\n"
            "Expected: the day on which it was exported, so that the differences get their time.\n"
            f"Write for example: --exported-at {self.known + dt.timedelta(days=7):%Y-%m-%d}"
        )


def watch(
    desk: Desk, known: dt.datetime, *, replaces: bool
) -> Callable[[str, pd.DataFrame, pd.DataFrame, bool], None]:
    """Make a look at the tables of before and after.

    Parameters
    ----------
    desk
        Where it is asked whether missing deals are gone.
    known
        Up to when the book knows.
    replaces
        The export takes the place of the last one: the same files, read otherwise.
    """

    def look(name: str, before: pd.DataFrame, now: pd.DataFrame, is_later: bool) -> None:
        if name != "opportunities" or before.empty:
            return
        _refuse_others(before, now)
        if is_later:
            _ask_of_gone(before, now, desk)
        elif not replaces and (n := _differing(name, before, now)):
            raise UndatedExport(known=known, n=n)

    return look


def _refuse_others(before: pd.DataFrame, now: pd.DataFrame) -> None:
    columns = [c for c in _STABLE if c in before and c in now]
    if len(columns) < len(_STABLE):
        return
    both = before.merge(now, on="id", suffixes=("", "_now"))
    other = pd.Series(True, index=both.index)
    for column in columns:
        was, is_ = both[column], both[f"{column}_now"]
        other &= was.notna() & is_.notna() & (was != is_)
    n = int(other.sum())
    if n >= _FEW_OTHER and n > _OTHER * len(both):
        raise OtherRecords(n=n, both=len(both), example=str(both.loc[other, "id"].iloc[0]))


def ask_of_other_system(before: str, now: str, desk: Desk) -> None:
    """Ask whether an export of another system tells of the records that a book has.

    Raises
    ------
    Unanswered
        Nobody tells; two systems number their records each in its own way.
    """
    if before == now:
        return
    desk.decide(Question(
        key=OTHER, candidates=("same",),
        text=f"The book was read by the mapping {before}, and this export is read by {now}. "
             "Are its deals those of the book, under the same ids?",
        evidence=("Deals of the book that are not in this export would count as void.",
                  "same: they are. If not, import it into another folder (--into)."),
    ))  # fmt: skip


def _ask_of_gone(before: pd.DataFrame, now: pd.DataFrame, desk: Desk) -> None:
    gone = before.loc[~before["id"].isin(now["id"]), "id"]
    if len(gone) <= max(_FEW_GONE, _GONE * len(before)) and len(gone) < len(before):
        return
    desk.decide(Question(
        key=GONE, candidates=("void",),
        text=f"{len(gone)} of {len(before)} deals are not in this export. Are they deleted?",
        evidence=(f"Such as {', '.join(map(str, gone.iloc[:3]))}. Deals that are left out, for "
                  "example by a filter of the export, would count as void.",
                  "void: they were deleted. If not, export all deals, or import into another "
                  "folder."),
    ))  # fmt: skip


def _differing(name: str, before: pd.DataFrame, now: pd.DataFrame) -> int:
    """Count the values that differ, and the rows that are gone."""
    old, new = before.set_index("id"), now.set_index("id")
    both = new.index.intersection(old.index)
    n = len(old.index.difference(new.index))
    for field in moving_fields(name, new.columns.intersection(old.columns).tolist()):
        was, is_ = (f.loc[both, field].map(canonical_text).fillna("\0") for f in (old, new))
        n += int((was != is_).sum())
    return n
