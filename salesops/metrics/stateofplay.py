"""The state of play of a period: all numbers and frames of the performance report, once each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from salesops.book.book import Book
from salesops.metrics.bookings import METRICS
from salesops.metrics.bridge import Bridge, bridge
from salesops.metrics.leaks import elapsed
from salesops.metrics.metric import Metric, reduced
from salesops.metrics.opendeals import open_deals, standing, with_silence
from salesops.metrics.progress import (
    Signings,
    all_signings,
    daily,
    groups_of,
    ladder,
    money,
    splits,
)
from salesops.metrics.signed import missing_for_signed
from salesops.metrics.togo import Coverage, coverage_of
from salesops.metrics.yearago import prior, year_ago
from salesops.model.calendar import Period

BY = {"team": "team", "user": "owner_id", "region": "region"}
SPLITS = ("type", "product_line", "region", "team")
_MOST_GROUPS = 8
CATALOGUE: dict[str, Metric] = {m.id: m for m in METRICS}


@dataclass(frozen=True, kw_only=True, eq=False)
class StateOfPlay:
    """What a period is at; money in company currency.

    Attributes
    ----------
    of
        The signings it is made of.
    unknown
        Code of the reason why signed business is not known; none where it is.
    numbers
        By name; null where not known.
    caveats
        Metric -> code of how far its number can be trusted.
    groups, days, reps, deals, parts, customers
        Frames, as `analyses.performance.Performance` has them.
    people_until
        The period, cut to the months for which people's targets are set.
    deals_due
        Whether `deals` are those expected in the period, not all open ones.
    bridge, bridge_by_year
        The bridge, none where no earlier deals are on record; whether from the year before.
    """

    of: Signings
    unknown: str | None
    numbers: Mapping[str, float]
    caveats: Mapping[str, str]
    groups: pd.DataFrame
    days: pd.DataFrame
    reps: pd.DataFrame
    deals: pd.DataFrame
    parts: pd.DataFrame
    customers: pd.DataFrame
    people_until: Period
    deals_due: bool
    bridge: Bridge | None
    bridge_by_year: bool

    @property
    def running(self) -> bool:
        """Whether the period is not over yet."""
        return elapsed(self.of.book, self.of.period) < self.of.period.days

    def has(self, *names: str) -> bool:
        """Say whether all of these numbers are known."""
        return not any(math.isnan(self.numbers[name]) for name in names)


def state_of_play(book: Book, period: Period, by: str = "none") -> StateOfPlay:
    """Work out where a period stands; `by` as in `analyses.performance.performance`."""
    unknown = missing_for_signed(book)
    of = all_signings(book, period, prior(book, period), year_ago(book, period))
    groups = _groups(of, by, unknown)
    reps, until = _reps(of)
    ahead = standing(book, period)
    open_now = with_silence(ahead, open_deals(ahead)).to_pandas()
    deals, deals_due = _deals(ahead, open_now, period)
    numbers = _signed_numbers(of, groups) | _people_numbers(reps) | _deal_numbers(deals)
    running = elapsed(book, period) < period.days
    coverage = coverage_of(ahead, period, open_now, weekly=False)
    numbers |= _outlook(numbers, coverage, running)
    customers = _customers(book, period)
    beside, caveats = _beside(of, customers)
    found, by_year = _bridge(of, unknown)
    return StateOfPlay(
        of=of, unknown=unknown, numbers=numbers | beside, caveats=caveats, groups=groups,
        days=daily(of, numbers["target"]), reps=reps, deals=deals,
        parts=splits(of, SPLITS), customers=customers, people_until=until,
        deals_due=deals_due, bridge=found, bridge_by_year=by_year,
    )  # fmt: skip


def _beside(of: Signings, new: pd.DataFrame) -> tuple[dict[str, float], dict[str, str]]:
    """Metrics of the catalogue that stand beside, and how far they can be trusted."""
    book, period = of.book, of.period
    found = {"renewal_bookings": money(of.renewals),
             "annualised_bookings": math.nan if not book.has("contract_lines.months")
             else float(of.here["yearly_cents"].astype("float64").sum()) / 100}  # fmt: skip
    caveats = {}
    for name in ("new_customers", "reactivated_customers", "contract_match"):
        metric = CATALOGUE[name]
        rows = metric.rows_of(book, period) if metric.reason(book) is None else None
        if name == "new_customers" and rows is not None and metric.estimate:
            number = metric.estimate(new, book, period)
            found[name], reason = number.value, number.reason
        else:
            row = reduced(metric, book, period).iloc[0]
            found[name], reason = float(row[name]), row["reason"]
        if reason:
            caveats[name] = str(reason)
    return found, caveats


def _customers(book: Book, period: Period) -> pd.DataFrame:
    """Name the new customers, with the deal and the person that won them."""
    columns = ["customer", "deal", "owner", "first_on"]
    if CATALOGUE["new_customers"].reason(book) is not None:
        return pd.DataFrame(columns=columns)
    rows = CATALOGUE["new_customers"].rows_of(book, period)
    accounts = book.unscoped("accounts").select(named_id="id", customer="name")
    rows = rows.left_join(accounts, rows.id == accounts.named_id)
    frame = rows.order_by("first_on", "id").to_pandas()
    names = _names(book)
    frame["owner"] = [names.get(str(who), who) for who in frame["owner_id"]]
    frame["customer"] = frame["customer"].where(frame["customer"].notna(), frame["id"])
    frame["first_on"] = pd.to_datetime(frame["first_on"])
    return frame.rename(columns={"name": "deal"})[columns]


def _groups(of: Signings, by: str, unknown: str | None) -> pd.DataFrame:
    """All together in the first row, then each group."""
    limits = of.book.limits
    column = BY.get(by, "")
    if not column and limits.user == "all":
        teams = set(of.here["team"].dropna()) | set(of.targets.loc[of.targets["level"] == "team",
                                                                  "key"])  # fmt: skip
        column = "team" if len(teams) > 1 else "owner_id"
    total = groups_of(of).assign(level="total", name="")
    if unknown:
        total[["signed", "prior", "year_ago"]] = math.nan
    if not column:
        return total
    parts = groups_of(of, column).assign(level="group")
    names = _names(of.book) if column == "owner_id" else {}
    parts["name"] = [names.get(g, g) for g in parts["group"]]
    parts = parts.sort_values(["plan", "signed"], ascending=False, na_position="last")
    if parts.empty:
        return total
    shown = parts.head(_MOST_GROUPS)
    # Columns are set side by side, so that one that is null throughout keeps its type.
    return pd.DataFrame({c: [*total[c], *shown[c]] for c in total.columns})


def _names(book: Book) -> dict[str, str]:
    people = book.people()
    return {str(i): str(n) for i, n in zip(people["id"], people["name"], strict=True) if n}


def _reps(of: Signings) -> tuple[pd.DataFrame, Period]:
    frame, until = ladder(of)
    names = _names(of.book)
    frame.insert(1, "owner", [names.get(who, who) for who in frame["owner_id"]])
    return frame, until


def _deals(book: Book, open_now: pd.DataFrame, period: Period) -> tuple[pd.DataFrame, bool]:
    """Open deals expected in the period, largest first; without any, all open ones."""
    expected = pd.to_datetime(open_now["expected_close_on"])
    due = expected.between(pd.Timestamp(period.start), pd.Timestamp(period.end))
    rows = open_now[due] if due.any() else open_now
    names, customers = _names(book), book.accounts.select("id", "name").to_pandas()
    customers = customers.dropna().set_index("id")["name"]
    deal = rows["name"].where(rows["name"].notna(), rows["id"])
    customer = rows["account_id"].map(customers)
    frame = pd.DataFrame({
        "id": rows["id"], "deal": deal, "customer": customer.where(customer.notna(), deal),
        "owner": [names.get(str(who), who) for who in rows["owner_id"]],
        "stage": rows["stage"], "expected_close_on": expected[rows.index],
        "amount": rows["cents"].astype("float64") / 100,
        "overdue": rows["overdue"].eq(True),
    })  # fmt: skip
    # Without values the deals that have been open longest come first.
    frame["created_at"] = rows["created_at"]
    order = ["amount", "created_at", "id"]
    frame = frame.sort_values(order, ascending=[False, True, True], ignore_index=True)
    frame = frame.drop(columns="created_at")
    return frame, bool(due.any())


def _signed_numbers(of: Signings, groups: pd.DataFrame) -> dict[str, float]:
    total = groups.iloc[0]
    signed, target = float(total["signed"]), float(total["plan"])
    compared = float(total["year_ago"] if of.last_year else total["prior"])
    if not of.compared_known:
        compared = math.nan
    over = elapsed(of.book, of.period) / of.period.days
    return {
        "n": float(total["n"]), "signed": signed, "target": target,
        "attained": float(total["attained_rate"]), "due": float(total["due"]),
        "pace": float(total["pace_rate"]), "time_gone": over, "prior": float(total["prior"]),
        "to_go": max(target - signed, 0.0) if not math.isnan(target) else math.nan,
        "over": max(signed - target, 0.0) if not math.isnan(target) else math.nan,
        "compared": compared, "change": signed - compared,
    }  # fmt: skip


def _people_numbers(reps: pd.DataFrame) -> dict[str, float]:
    planned = reps["attained_rate"].dropna()
    before = reps["prior_rate"].dropna()
    signed = float(reps["signed_year"].sum())
    return {
        "n_reps": float(len(planned)), "n_reached": float((planned >= 1).sum()),
        "n_half": float((planned < 0.5).sum()), "median": float(planned.median()),
        "n_without": float(len(reps) - len(planned)),
        "prior_reached": float((before >= 1).mean()) if len(before) else math.nan,
        "year_signed": signed,
        "top_share": float(reps["signed_year"].max()) / signed if signed > 0 else math.nan,
    }  # fmt: skip


def _deal_numbers(deals: pd.DataFrame) -> dict[str, float]:
    late = deals[deals["overdue"]]
    return {
        "n_open": float(len(deals)), "open": float(deals["amount"].sum(min_count=1)),
        "n_overdue": float(len(late)), "overdue": float(late["amount"].sum()),
    }  # fmt: skip


def _outlook(numbers: Mapping[str, float], ahead: Coverage, running: bool) -> dict[str, float]:
    """What the rest of the period will probably bring, from the periods before."""
    names = ("likely", "likely_low", "likely_high", "short", "coverage", "need", "n_periods")
    if not running or not ahead.n_periods:
        return dict.fromkeys(names, math.nan)
    to_go = numbers["to_go"]
    covered = ahead.open / to_go if to_go > 0 else math.nan
    return {
        "likely": ahead.likely, "likely_low": ahead.likely_low, "likely_high": ahead.likely_high,
        "short": max(to_go - ahead.likely, 0.0), "coverage": covered, "need": ahead.need,
        "n_periods": float(ahead.n_periods),
    }  # fmt: skip


def _bridge(of: Signings, unknown: str | None) -> tuple[Bridge | None, bool]:
    """The bridge from the year before, else from the period before, where deals are on record."""
    now = Period(of.period.start, max(of.until, of.period.start), of.period.text)
    if unknown or not of.book.has("opportunities.closed_at"):
        return None, False
    for compared, by_year in ((of.last_year, True), (of.before, False)):
        if compared is not None and of.begun and of.begun <= compared.window.start:
            return bridge(of.book, now, compared.window), by_year
    return None, False
