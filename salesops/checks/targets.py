"""Who has no target, and which team's target is not the sum of its people's."""

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.checks.check import Check, Norm, Seen, Tested, no_rows
from salesops.model.calendar import Period
from salesops.model.finding import Finding

METRIC, YEAR = "bookings", 12


def _no_target(book: Book, period: Period) -> Seen:
    """Reps without a target of their own in a month that they worked as a whole.

    A rep who is new has none until the month of the settings, which is told in the rows alone.
    """
    targets = _targets(book)
    own = targets[targets["level"] == "user"]
    months = [m for m in sorted(own["period"].unique()) if m <= period.end.isoformat()[:7]]
    if not months:
        return Seen(value=float("nan"), n=0)
    reps = book.users.filter(_.role == "rep").select("id", "hired_on", "left_on").to_pandas()
    has = set(zip(own["period"], own["key"], strict=True))
    gaps = [row for month in months for row in _without(reps, month, has)]
    frame = pd.DataFrame(gaps, columns=["month", "who", "settled"])
    recent = frame[(frame["month"] >= _a_year_before(period)) & _settled(frame, book)]
    people = int(recent["who"].nunique())
    seen = Seen(value=float(people), n=len(reps))
    if not people:
        return seen
    finding = Finding(
        code="diagnosis.no_target", severity="act", owner_role="manager",
        evidence={"n": people, "months": len(recent), "n_reps": len(reps)},
        action="diagnosis.no_target.action", lesson="02_goals",
    )  # fmt: skip
    keys = frame["month"] + "/user/" + frame["who"]
    rows = pd.concat([
        pd.DataFrame({"table": "targets", "id": keys}),
        pd.DataFrame({"table": "users", "id": sorted(set(frame["who"]))}),
    ], ignore_index=True)  # fmt: skip
    return Seen(value=seen.value, n=seen.n, tests=(Tested(p=0.0, finding=finding, rows=rows),))


def _targets(book: Book) -> pd.DataFrame:
    rows = book.table("targets").filter(_.metric == METRIC)
    return rows.select("period", "level", "key", "amount").to_pandas()


def _a_year_before(period: Period) -> str:
    return period.shifted(1 - YEAR).start.isoformat()[:7]


def _settled(frame: pd.DataFrame, book: Book) -> "pd.Series[bool]":
    return frame["settled"] >= book.settings.norms.target_from_month


def _without(
    reps: pd.DataFrame, month: str, has: set[tuple[str, str]]
) -> list[tuple[str, str, int]]:
    """List who worked a whole month without a target, and the number of the month for them."""
    whole = Period.parse(month)
    hired, left = pd.to_datetime(reps["hired_on"]), pd.to_datetime(reps["left_on"])
    there = (hired <= pd.Timestamp(whole.start)) & (
        left.isna() | (left > pd.Timestamp(whole.end))
    )  # fmt: skip
    here = reps[there & ~reps["id"].map(lambda who: (month, who) in has)]
    first = hired[here.index].dt.to_period("M")
    numbers = [(whole.start.year - p.year) * 12 + whole.start.month - p.month + 1 for p in first]
    return list(zip([month] * len(here), here["id"], numbers, strict=True))


def _sums(book: Book, period: Period) -> Seen:
    """Teams whose target is not the sum of their people's, the over-assignment taken off."""
    over = book.settings.norms.over_assignment
    targets = _targets(book)
    targets = targets[targets["period"] <= period.end.isoformat()[:7]]
    targets["amount"] = targets["amount"].astype("float64")
    people = book.users.select("id", "team").to_pandas().set_index("id")["team"]
    own = targets[targets["level"] == "user"]
    summed = own["amount"].groupby([own["period"], own["key"].map(people)]).sum() / over
    stated = targets[targets["level"] == "team"].set_index(["period", "key"])["amount"]
    summed.index.names = stated.index.names
    both = pd.concat([summed.rename("people"), stated.rename("team")], axis=1).dropna()
    off = (both["team"] - both["people"]).reset_index(name="gap")
    off = off[off["gap"].abs() > 1]
    recent = off[off["period"] >= _a_year_before(period)]
    norm = Norm(value=0.0, tolerance=1.0, source="settings")
    tests = tuple(_off(str(team), part, off, over)
                  for team, part in recent.groupby("key"))  # fmt: skip
    value = float(recent["gap"].abs().sum())
    return Seen(value=value, n=len(both), norm=norm, tests=tests)


def _off(team: str, part: pd.DataFrame, off: pd.DataFrame, over: float) -> Tested:
    gap = float(part["gap"].sum())
    finding = Finding(
        code="diagnosis.target_sums", severity="watch", subject=team, owner_role="manager",
        evidence={"team": team, "gap": abs(gap), "months": len(part), "over": over},
        action="diagnosis.target_sums.action", lesson="02_goals",
    )  # fmt: skip
    mine = off[off["key"] == team]
    rows = no_rows()
    if len(mine):
        rows = pd.DataFrame({"table": "targets", "id": mine["period"] + "/team/" + mine["key"]})
    return Tested(p=0.0, finding=finding, rows=rows)


CHECKS: tuple[Check, ...] = (
    Check(id="no_target", pain="targets", unit="count",
          needs=("targets.amount", "users.hired_on"), look=_no_target, apart=True),
    Check(id="target_sums", pain="targets", unit="money", needs=("targets.amount", "users.team"),
          look=_sums, apart=True),
)  # fmt: skip
