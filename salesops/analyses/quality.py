"""How far can the records be believed, and which are to be mended first?"""

import math
from dataclasses import dataclass

import pandas as pd
from ibis import _
from matplotlib.axes import Axes

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import quality as pictures
from salesops.charts import quality_page as words
from salesops.charts.exhibit import Exhibit
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.checks.headlines import believed
from salesops.checks.judged import examine
from salesops.checks.processplain import fields_filled
from salesops.checks.registry import checks_of
from salesops.metrics.catalogue import metric
from salesops.metrics.duplicates import duplicate_accounts
from salesops.metrics.opendeals import open_deals, standing
from salesops.metrics.quality import RULES, broken_rules, entries, lacking, late_logs, to_mend
from salesops.metrics.records import LOST_REQUIRED, required_of
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap, Method

# Looked for by the diagnosis too, so that both say the same.
CHECKED = ("duplicates", "no_owner", "no_contact", "month_end_edits")
MONTHS = 12


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Quality(Result):
    """What is wrong in the records of one company and scope.

    Attributes
    ----------
    rules
        One row per rule: `rule`, `dimension`, `table`, `field`, `n` (rows it speaks of),
        `n_wrong`, `share` (null without rows).
    fields
        One row per field that people fill in: `checks.processplain.fields_filled`.
    teams
        One row per team and kind of quality: `team`, `dimension`, `n`, `n_wrong`, `share`.
    months
        One row per month of creation, of the last twelve, and kind: `month`, `dimension`, `n`,
        `n_wrong`, `share`.
    entered
        One row per team: `team`, `n` entries due, `rate`, `prior_rate`.
    logged
        One row per team: `team`, `n` touches, `rate`.
    pairs
        Customers entered twice: `metrics.duplicates.duplicate_accounts`, with `amount` (open value
        on both).
    overdue
        One row per span of days over the expected date: `span`, `n`, `amount`.
    mend
        Open deals with something wrong: `metrics.quality.to_mend`, with `owner`.
    """

    rules: pd.DataFrame
    fields: pd.DataFrame
    teams: pd.DataFrame
    months: pd.DataFrame
    entered: pd.DataFrame
    logged: pd.DataFrame
    pairs: pd.DataFrame
    overdue: pd.DataFrame
    mend: pd.DataFrame

    def plot_entered(self, ax: Axes | None = None) -> Axes:
        """Draw the share of entries made, by team."""
        return pictures.shares(self.entered, ax=ax)

    def plot_logged(self, ax: Axes | None = None) -> Axes:
        """Draw the share of touches logged in time, by team."""
        return pictures.shares(self.logged, ax=ax)

    def plot_overdue(self, ax: Axes | None = None) -> Axes:
        """Draw the open value by days over the expected date."""
        return pictures.spans(self.overdue, ax=ax)

    @property
    def rules_table(self) -> TableView | Shown:
        """Every rule and field with the records that break it or leave it empty."""
        return words.rules_table(self.rules, self.fields)

    @property
    def groups_table(self) -> TableView | Shown:
        """What is wrong by team, by month of creation, and by kind of quality."""
        return words.groups_table(self.teams, self.months)

    @property
    def pairs_table(self) -> TableView | Shown:
        """The customers entered twice."""
        return words.pairs_table(self.pairs)

    @property
    def mend_table(self) -> TableView | Shown:
        """The open deals with something wrong."""
        return words.mend_table(self.mend, most=40)


@shared
def quality(book: Book, *, period: str = "latest") -> Quality:
    """How far can the records be believed, and which are to be mended first?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date.

    Returns
    -------
    Quality
        Frames by rule, field, team and month, findings beyond norm, and what could not be seen.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    Completeness, validity, uniqueness, timeliness and consistency as in DAMA UK (2013), The Six
    Primary Dimensions for Data Quality Assessment. Teams are those of today's owners; nobody is
    ranked.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = quality(open_book("tests/tiny_company"))
    >>> result.rules.set_index("rule").loc["date_over", "n"].item()
    5
    """
    setting = Setting(book=book, period=book.period(period))
    stood = standing(book, setting.period)
    judged = examine(book, setting.period, checks_of(CHECKED))
    seen = _seen(stood, setting.period, judged.findings)
    exhibits = words.exhibits(seen, lambda name: explain(book, name, period=period))
    m = seen.numbers
    return Quality(
        report="quality", setting=setting, verdict=words.verdict(seen), metrics=m,
        exhibits=exhibits, findings=judged.findings, method=_method(seen),
        gaps=(*_gaps(stood, exhibits), *judged.gaps),
        lead=Lead(name="lead.entered", kind="ratio", value=m["entry_rate"],
                  prior=m["prior_entry_rate"], better="up"),
        rules=seen.rules, fields=seen.fields, teams=seen.teams, months=seen.months,
        entered=seen.entered, logged=seen.logged, pairs=seen.pairs, overdue=seen.overdue,
        mend=seen.mend,
    )  # fmt: skip


def _seen(book: Book, period: Period, findings: tuple[Finding, ...]) -> words.Seen:
    """Lay out the frames, each worked out once."""
    whole = pd.concat([entries(book, period), broken_rules(book)], ignore_index=True)
    pairs = _with_money(book, duplicate_accounts(book))
    twice = set(pairs["account"]) | set(pairs["other"])
    unique = pd.DataFrame([("twice", "uniqueness", "accounts", "name", None, book.n("accounts"),
                            pairs["other"].nunique())], columns=whole.columns)  # fmt: skip
    if book.has("accounts.name"):
        whole = pd.concat([whole, unique], ignore_index=True)
    rules = _shared(whole.drop(columns="group"))
    teams = _grouped(pd.concat([entries(book, period, "team"), broken_rules(book, "team")]), "team")
    months = _grouped(broken_rules(book, "month"), "month")
    required = tuple(c for c in required_of(book) if c not in LOST_REQUIRED)
    mend = to_mend(book, required, twice)
    names = book.people().set_index("id")["name"]
    mend = mend.assign(owner=mend["owner_id"].map(names).fillna(mend["owner_id"]))
    frames = {
        "rules": rules, "teams": teams, "months": _latest(months, book),
        "entered": _entered(book, period), "logged": _logged(book, period),
        "pairs": pairs, "overdue": _overdue(book), "mend": mend, "fields": fields_filled(book),
    }  # fmt: skip
    numbers = _numbers(book, period, frames)
    return words.Seen(settings=book.settings, numbers=numbers, findings=findings, **frames)


def _shared(frame: pd.DataFrame) -> pd.DataFrame:
    share = frame["n_wrong"] / frame["n"].where(frame["n"] > 0)
    return frame.assign(share=share.astype("float64")).reset_index(drop=True)


def _grouped(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Sum rules by group and kind of quality."""
    known = frame[frame["group"].notna()]
    sums = known.groupby(["group", "dimension"])[["n", "n_wrong"]].sum().reset_index()
    return _shared(sums.rename(columns={"group": name}))


def _latest(months: pd.DataFrame, book: Book) -> pd.DataFrame:
    first = pd.Timestamp(book.date).replace(day=1) - pd.DateOffset(months=MONTHS - 1)
    return months[pd.to_datetime(months["month"]) >= first].reset_index(drop=True)


def _with_money(book: Book, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add the open value that hangs on both records of each pair."""
    deals = open_deals(book).filter(_.account_id.notnull())
    sums = deals.group_by("account_id").agg(cents=_.cents.sum()).to_pandas()
    value = sums.set_index("account_id")["cents"].astype("float64") / 100
    both = [pairs[side].map(value).fillna(0.0) for side in ("account", "other")]
    return pairs.assign(amount=both[0] + both[1])


def _entered(book: Book, period: Period) -> pd.DataFrame:
    now, before = (metric(book, "entry_rate", period=p.text, by=["team"])
                   for p in (period, period.prior()))  # fmt: skip
    frame = now[now["team"].notna() & (now["n"] > 0)] if "team" in now else now[:0]
    prior = before.set_index("team")["entry_rate"] if "team" in before else {}
    found = frame.assign(rate=frame["entry_rate"], prior_rate=frame["team"].map(prior))
    return found[["team", "n", "rate", "prior_rate"]].reset_index(drop=True)


def _logged(book: Book, period: Period) -> pd.DataFrame:
    now, before = (late_logs(book, p) for p in (period, period.prior()))
    prior = before.set_index("team")
    rate = now["in_time"] / now["n"].where(now["n"] > 0)
    found = now.assign(rate=rate, prior_rate=now["team"].map(prior["in_time"] / prior["n"]))
    found = found[found["team"].notna()]
    return found[["team", "n", "rate", "prior_rate"]].reset_index(drop=True)


def _overdue(book: Book) -> pd.DataFrame:
    """Count open deals by how long their expected date is over."""
    rows = open_deals(book).filter(_.expected_close_on.notnull())
    frame = rows.select("expected_close_on", "cents").to_pandas()
    over = (pd.Timestamp(book.date) - pd.to_datetime(frame["expected_close_on"])).dt.days
    found = []
    for span, (low, high) in words.SPANS.items():
        mine = frame[(over >= low) & (over <= high)]
        # Where no deal has a value it is not known, rather than nothing.
        whole = 1 if frame["cents"].isna().all() else 0
        cents = mine["cents"].astype("float64").sum(min_count=whole)
        found.append((span, len(mine), float(cents) / 100))
    return pd.DataFrame(found, columns=["span", "n", "amount"])


def _numbers(
    book: Book, period: Period, frames: dict[str, pd.DataFrame]
) -> dict[str, float | None]:
    def value(name: str, of: Period) -> float:
        return float(metric(book, name, period=of.text)[name].iloc[0])

    pairs, mend, overdue = frames["pairs"], frames["mend"], frames["overdue"]
    worth = believed(book, period)
    late = overdue.iloc[1:]
    both = pd.concat([pairs["account"], pairs["other"]]).unique()
    open_ = open_deals(book).filter(_.account_id.isin(list(both))) if len(both) else None
    on_both = 0.0 if open_ is None else open_.agg(c=_.cents.sum()).to_pandas()["c"].iloc[0]
    valued = open_deals(book).agg(n=_.cents.count()).to_pandas()["n"].iloc[0] > 0
    n_accounts = book.n("accounts")
    found = {
        "entry_rate": value("entry_rate", period),
        "prior_entry_rate": value("entry_rate", period.prior()),
        "logged_share": value("logged_within_24h", period),
        "prior_logged_share": value("logged_within_24h", period.prior()),
        "n_twice": float(pairs["other"].nunique()), "n_accounts": float(n_accounts),
        "twice_share": pairs["other"].nunique() / n_accounts if n_accounts else math.nan,
        "n_two_owners": float(pairs["two_owners"].sum()),
        "twice_amount": _zero(on_both) / 100 if valued else math.nan,
        "n_over": float(late["n"].sum()), "over_amount": float(late["amount"].sum(skipna=False)),
        "n_dated": float(overdue["n"].sum()), "n_mend": float(len(mend)),
        "mend_amount": float(mend["amount"].head(words.FIRST).sum(min_count=1)),
        "reported": float(worth["reported"].sum()) if len(worth) else math.nan,
        "credible": float(worth["credible"].sum()) if len(worth) else math.nan,
        "n_rules": float(len(frames["rules"])), "first": float(min(words.FIRST, len(mend))),
        "logging_hours": float(book.settings.norms.logging_hours),
        "duplicate_norm": float(book.settings.norms.duplicate_share),
        "n_broken": float((frames["rules"]["n_wrong"] > 0).sum()),
    }  # fmt: skip
    return {k: None if math.isnan(v) else v for k, v in found.items()}


def _zero(total: object) -> float:
    """Take a sum over no row, which is null, for nothing."""
    return 0.0 if pd.isna(total) else float(str(total))


def _gaps(book: Book, exhibits: dict[str, Exhibit]) -> tuple[Gap, ...]:
    """Say which rules can't be looked at, and which exhibits have nothing to show."""
    needs = {
        "entered": "opportunities.amount", "twice": "accounts.name",
        "over": "opportunities.expected_close_on", "logged": "activities.logged_at",
    }  # fmt: skip
    gaps = []
    for key in ("entered", "twice", "over", "logged", "mend"):
        if key in exhibits:
            continue
        lacks = key in needs and not book.has(needs[key])
        gaps.append(Gap(what=f"what.{key}", reason="missing_column" if lacks else "no_rows",
                        needs=needs[key] if lacks else ""))  # fmt: skip
    for rule in RULES:
        column = lacking(rule, book)
        if column is not None and book.has(rule.table):
            gaps.append(Gap(what=f"rule.{rule.id}", reason="missing_column", needs=column))
    return tuple(gaps)


def _method(seen: words.Seen) -> Method:
    source = ["method.quality_rules", "method.quality_entered"]
    if len(seen.pairs):
        source.append("method.quality_twice")
    n = {"rules": len(seen.rules), "fields": len(seen.fields)}
    return Method(source=tuple(source), assumptions=("method.norms",), n=n,
                  blind_spots=("blind.only_recorded",))  # fmt: skip
