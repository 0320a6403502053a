"""How far a period has got: against its target, its pace, and the same stretch before, by whom."""

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.book.book import Book
from salesops.metrics.attainment import people_period
from salesops.metrics.leaks import elapsed
from salesops.metrics.pace import Curve, own_curve, shares_along
from salesops.metrics.signed import signings
from salesops.metrics.targets import all_targets, at_level, targets_of
from salesops.metrics.yearago import Compared
from salesops.model.calendar import Period

# Behind by less than this share of what is due is within what one tolerates.
TOLERANCE = 0.10
# Fewer signings expected do not tell luck from being late.
ENOUGH_EXPECTED = 10
GROUPS = ["group", "n", "signed", "plan", "due", "attained_rate", "pace_rate", "prior", "year_ago",
          "behind_p"]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Signings:
    """What a scope signed, and what it is compared with.

    Attributes
    ----------
    book, period
        Of whom and when.
    rows
        Signings of the period and of up to three years before, as `signed.signings` gives them.
    renewals
        The same of renewals, of the period alone.
    begun
        First day of the month with which the records begin; none where there are none.
    before
        Days of the period before that compare with those that are over.
    last_year
        Days of the year before that do; none where the records begin later.
    curve
        The company's own curve; none where there are too few signings.
    targets
        Of the period, at every level.
    """

    book: Book
    period: Period
    rows: pd.DataFrame
    renewals: pd.DataFrame
    begun: dt.date | None
    before: Compared
    last_year: Compared | None
    curve: Curve | None
    targets: pd.DataFrame

    @property
    def until(self) -> dt.date:
        """Last day of the period that is over, or the day before it began."""
        return self.period.start + dt.timedelta(days=elapsed(self.book, self.period) - 1)

    @property
    def prior_known(self) -> bool:
        """Whether the records reach back over the period before."""
        return self.begun is not None and self.begun <= self.before.window.start

    @property
    def compared_known(self) -> bool:
        """Whether the days compared, of the year or the period before, lie in the records."""
        return self.last_year is not None or self.prior_known

    @property
    def here(self) -> pd.DataFrame:
        """Signings of the period."""
        return within(self.rows, self.period.start, self.period.end)

    def sum_of(self, days: Period | None) -> float:
        """Sum what was signed in some days; null where they are not known."""
        if days is None:
            return math.nan
        return money(within(self.rows, days.start, days.end))


def within(rows: pd.DataFrame, first: dt.date, last: dt.date) -> pd.DataFrame:
    """Keep the signings of some days."""
    return rows[rows["booked_on"].between(pd.Timestamp(first), pd.Timestamp(last))]


def money(rows: pd.DataFrame) -> float:
    """Sum amounts; 0 without rows, null where there are rows and none has an amount."""
    if rows.empty:
        return 0.0
    return float(rows["amount"].sum(min_count=1))


def all_signings(book: Book, period: Period, before: Compared, last_year: Compared) -> Signings:
    """Fetch once what the numbers of a period are made of."""
    first = min(dt.date(period.start.year - 3, 1, 1), last_year.window.start)
    rows = signings(book, Period(first, max(book.date, period.end), ""), kind="all")
    renewal = rows["type"] == "renewal"
    renewals = within(rows[renewal], period.start, period.end)
    rows = rows[~renewal]
    begun = _records_begin(book, rows)
    known = begun is not None and begun <= last_year.window.start
    return Signings(book, period, rows, renewals, begun, before, last_year if known else None,
                    own_curve(book, period.start), all_targets(book, period))  # fmt: skip


def _records_begin(book: Book, rows: pd.DataFrame) -> dt.date | None:
    """Give the month in which anything was first signed, won or lost; earlier nothing is known.

    By anybody: the records of a company begin for all of its parts at once.
    """
    first = book.store.tables["opportunities"].closed_at.min().to_pandas()
    days = [] if pd.isna(first) else [book.calendar.local_date(pd.Timestamp(first).to_pydatetime())]
    days += [rows["booked_on"].min().date()] if len(rows) else []
    return min(days).replace(day=1) if days else None


def groups_of(of: Signings, column: str = "") -> pd.DataFrame:
    """How far has each group got, or without a column all of them together?

    Returns
    -------
    pandas.DataFrame
        One row per group: `group`, `n` (signings and cancellations), `signed`, `plan` (null
        without a target for the whole period), `due` (of it by now), `attained_rate`,
        `pace_rate`, `prior` and `year_ago` (signed in the days compared), `behind_p` (chance to be
        so far behind what is due less 10 %, were all on pace; null where too few are expected).
    """
    plan = _plans(of, column)
    here = of.here
    spans = {"prior": of.before.window if of.prior_known else None,
             "year_ago": of.last_year and of.last_year.window}  # fmt: skip
    if column:
        spanned = [within(of.rows, d.start, d.end) for d in spans.values() if d]
        seen = pd.concat([part[column] for part in (here, *spanned)])
        keys = sorted({str(k) for k in seen.dropna()} | set(plan.index))
        keys += [""] * bool(here[column].isna().any())
    else:
        keys = [""]
    found = []
    for key in keys:
        mine = _of_group(here, column, key)
        row: dict[str, float | str] = {"group": key, "n": len(mine), "signed": money(mine)}
        row |= {c: float(plan[c].get(key, math.nan)) for c in ("plan", "due")}
        for name, days in spans.items():
            inside = within(of.rows, days.start, days.end) if days else None
            row[name] = math.nan if inside is None else money(_of_group(inside, column, key))
        row["behind_p"] = _behind_p(of.rows, float(row["signed"]), float(row["due"]))
        found.append(row)
    frame = pd.DataFrame(found, columns=[c for c in GROUPS if not c.endswith("_rate")])
    frame["attained_rate"] = frame["signed"] / frame["plan"].where(frame["plan"] > 0)
    frame["pace_rate"] = frame["signed"] / frame["due"].where(frame["due"] > 0)
    return frame[GROUPS]


def _of_group(rows: pd.DataFrame, column: str, key: str) -> pd.DataFrame:
    if not column:
        return rows
    return rows[rows[column].isna()] if key == "" else rows[rows[column] == key]


def _plans(of: Signings, column: str) -> pd.DataFrame:
    """Give for each key its target of the whole period and what of it is due by now."""
    targets = at_level(of.book, of.targets, (column,) if column else ())
    empty = pd.DataFrame({"plan": [], "due": []}, dtype="float64")
    if targets.empty or not targets["is_whole"].any():
        return empty
    shares = shares_along(of.curve, of.book, of.period)
    plan = targets["plan_cents"].astype("float64") / 100
    parts = pd.DataFrame({"plan": plan, "due": plan * targets["month"].map(shares)})
    key = targets["key"] if column else pd.Series("", index=targets.index)
    whole = targets["is_whole"].groupby(key).all()
    sums = parts.groupby(key).sum(min_count=1)
    lacking = parts["due"].isna().groupby(key).any()
    sums.loc[lacking[lacking].index, "due"] = math.nan
    return sums[whole.reindex(sums.index)]


def _behind_p(rows: pd.DataFrame, signed: float, due: float) -> float:
    """How often would chance alone leave somebody on pace so far behind?

    The sum of a Poisson number of independent signings has the mean number times the mean square
    as its variance (Feller, Introduction to Probability, vol. 1, XII); the normal bound is
    cautious on this side, since sums of such signings are skewed to the other.
    """
    past = rows.loc[(rows["event"] == "signed") & (rows["amount"] > 0), "amount"]
    bar = due * (1 - TOLERANCE)
    if past.empty or not bar > 0 or bar / float(past.mean()) < ENOUGH_EXPECTED:
        return math.nan
    spread = math.sqrt(bar / float(past.mean()) * float((past**2).mean()))
    return 0.5 * math.erfc((bar - signed) / spread / math.sqrt(2))


def daily(of: Signings, target: float) -> pd.DataFrame:
    """How did the period grow day by day, beside its plan and what it is compared with?

    Returns
    -------
    pandas.DataFrame
        One row per day of the period: `day`, `day_number`, `signed`, `plan` (along the company's
        own curve; evenly without one), `compared` (the year before, else the period before; its
        last compared day lies on today), all summed up from the first day. Null in the future and
        where not known.
    """
    days = pd.date_range(of.period.start, of.period.end)
    sums = of.here.groupby("booked_on")["amount"].sum().reindex(days, fill_value=0.0)
    over = elapsed(of.book, of.period)
    signed = sums.cumsum().to_numpy().copy()
    signed[over:] = math.nan
    compared = of.last_year or of.before
    shift = days[0] + pd.Timedelta(days=over - 1) - pd.Timestamp(compared.window.end)
    moved = of.rows["booked_on"] + shift
    from_start = of.rows["booked_on"] >= pd.Timestamp(compared.window.start)
    then = of.rows.loc[from_start, "amount"].groupby(moved[from_start]).sum()
    then = then[then.index <= days[-1]]
    early = float(then[then.index < days[0]].sum())
    course = then.reindex(days, fill_value=0.0).cumsum().to_numpy() + early
    reach = days - shift <= pd.Timestamp(_last_compared(of, compared))
    begun = days - shift >= pd.Timestamp(compared.window.start)
    course = np.where(reach & begun & of.compared_known, course, math.nan)
    return pd.DataFrame({
        "day": days, "day_number": np.arange(1, len(days) + 1), "signed": signed,
        "plan": _course_of_plan(of, target), "compared": course,
    })  # fmt: skip


def _last_compared(of: Signings, compared: Compared) -> dt.date:
    """Give the last day of the period compared: its course after the compared day is shown too."""
    whole = of.period.year_ago() if of.last_year is not None else of.period.prior()
    return max(whole.end, compared.window.end) if not compared.aligned else compared.window.end


def _course_of_plan(of: Signings, target: float) -> np.ndarray:
    period = of.period
    if math.isnan(target):
        return np.full(period.days, math.nan)
    weights = of.curve.weights(period.start, period.end) if of.curve else np.ones(period.days)
    return target * weights.cumsum() / weights.sum()


def ladder(of: Signings) -> tuple[pd.DataFrame, Period]:
    """What did each person sign, against their target?

    Returns
    -------
    pandas.DataFrame
        One row per person who signed in the year up to now or has a target: `owner_id`, `n`,
        `signed`, `signed_year` (in that year), `plan` (null where none is set for all months of
        their employment), `attained_rate`, `prior_rate` (attainment of the whole period before);
        highest attainment first, then who signed most.
    Period
        The period, cut to the months for which people's targets are set.
    """
    plan = at_level(of.book, of.targets, ("owner_id",))
    cut = people_period(plan, of.period)
    if cut is not of.period:
        plan = targets_of(of.book, cut, by=("owner_id",))
    here = within(of.rows, cut.start, cut.end)
    last = min(of.until, of.book.date)
    year = within(of.rows, last - dt.timedelta(days=364), last)
    frame = _by_person(here, plan, year.groupby("owner_id")["amount"].sum())
    before = of.period.prior()
    earlier = _by_person(within(of.rows, before.start, before.end),
                         targets_of(of.book, before, by=("owner_id",)))  # fmt: skip
    frame["prior_rate"] = frame["owner_id"].map(earlier.set_index("owner_id")["attained_rate"])
    if frame["plan"].notna().any():
        # Where people have targets, those without any now and with nothing signed are gone.
        frame = frame[frame["plan"].notna() | (frame["n"] > 0)]
    order = ["attained_rate", "signed", "signed_year", "owner_id"]
    frame = frame.sort_values(order, na_position="last", ascending=[False, False, False, True],
                              ignore_index=True)  # fmt: skip
    return frame, cut


def _by_person(
    rows: pd.DataFrame, plan: pd.DataFrame, year: "pd.Series[float] | None" = None
) -> pd.DataFrame:
    sums = rows.groupby("owner_id").agg(n=("id", "size"), signed=("amount", "sum"))
    cents = plan[plan["is_whole"]].groupby("owner_id")["plan_cents"].sum().astype("float64")
    both = sums.join((cents / 100).rename("plan"), how="outer")
    if year is not None:
        both = both.join(year.astype("float64").rename("signed_year"), how="outer")
    filled = [c for c in both.columns if c != "plan"]
    both[filled] = both[filled].astype("float64").fillna(0.0)
    both["attained_rate"] = both["signed"] / both["plan"].where(both["plan"] > 0)
    both = both.rename_axis("owner_id").reset_index()
    types = {"owner_id": object, "n": "int64", "plan": "float64", "attained_rate": "float64"}
    return both.astype(types)


def splits(of: Signings, columns: tuple[str, ...]) -> pd.DataFrame:
    """What was signed by type, product line, region and team, against plan and before?

    Returns
    -------
    pandas.DataFrame
        One row per column and group: `split` (the column) and the columns of `groups_of`.
    """
    parts = [groups_of(of, c).assign(split=c) for c in columns if of.rows[c].notna().any()]
    if not parts:
        return pd.DataFrame(columns=["split", *GROUPS])
    return pd.concat(parts, ignore_index=True)[["split", *GROUPS]]
