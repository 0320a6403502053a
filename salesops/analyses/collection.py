"""What fell due and what came in, what is late and why, and what will come?"""

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import rows_behind
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import collection as pictures
from salesops.charts import collection_page as words
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.metrics.cash_frames import delivered_in_a_year
from salesops.metrics.cash_numbers import CashNumbers, cash_numbers
from salesops.metrics.collection import acceptance_unknown, no_due_dates
from salesops.metrics.lateness import Waiting, late_groups, waiting_long
from salesops.metrics.receivables import norm_unpaid
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap, Method, Range
from salesops.model.settings import CollectionNorms


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Collection(Result):
    """The cash of one company, scope and period.

    Attributes
    ----------
    periods
        One row per period, this one last: see `metrics.cash_frames.by_period`.
    buckets
        One row per bucket of lateness: see `metrics.receivables.ageing`.
    overdue
        One row per overdue instalment, most money first: `id`, `contract_id`, `customer`,
        `owner`, `trigger`, `due_on`, `overdue_days`, `unpaid` (company currency), `cause`.
    coming
        One row per 30, 60 and 90 days: see `metrics.cash_frames.coming`.
    standing
        One row per item: see `metrics.cash_frames.standing`, and `prior_amount`.
    groups
        One row per team, or owner of a single team: see `metrics.cash_frames.by_group`.
    waiting
        One row per contract that is delivered and not accepted: see
        `metrics.cash_frames.unaccepted`, and `customer`, `owner`.
    undated
        One row per instalment without a date: `id`, `contract_id`, `customer`, `owner`,
        `trigger`, `unpaid`.
    tried
        One row per past date and horizon: see `metrics.cash_expected.looking_back`.
    """

    periods: pd.DataFrame
    buckets: pd.DataFrame
    overdue: pd.DataFrame
    coming: pd.DataFrame
    standing: pd.DataFrame
    groups: pd.DataFrame
    waiting: pd.DataFrame
    undated: pd.DataFrame
    tried: pd.DataFrame

    def plot_due(self, ax: Axes | None = None) -> Axes:
        """Draw what fell due and what was received for it."""
        return pictures.due(self.periods, self.setting.period, ax=ax)

    def plot_ageing(self, ax: Axes | None = None) -> Axes:
        """Draw what is unpaid by days since due."""
        return pictures.ageing(self.buckets, ax=ax)

    def plot_coming(self, ax: Axes | None = None) -> Axes:
        """Draw what is owed and what is expected."""
        return pictures.coming(self.coming, ax=ax)

    def plot_standing(self, ax: Axes | None = None) -> Axes:
        """Draw what else is owed."""
        return pictures.standing(self.standing, ax=ax)

    @property
    def overdue_table(self) -> TableView | Shown:
        """All that is overdue, largest first, with contract and due day."""
        columns = {"contract_id": "text", "debtor": "name", "owner": "name",
                   "trigger": "trigger", "due_on": "date", "overdue_days": "days",
                   "unpaid_amount": "money", "cause": "cause"}  # fmt: skip
        if self.metrics["overdue"] is None:
            return _nothing("collection.lists_unknown")
        return _table(self.overdue, columns, "collection.caption_all_overdue", most=30,
                      optional=frozenset({"contract_id", "trigger", "due_on"}))  # fmt: skip

    @property
    def waiting_table(self) -> TableView | Shown:
        """What was delivered and not accepted, longest wait first."""
        columns = {"id": "text", "debtor": "name", "owner": "name", "delivered_on": "date",
                   "waiting_days": "days", "amount": "money", "unpaid_amount": "money"}  # fmt: skip
        if any(gap.what == "what.unaccepted" for gap in self.gaps):
            return Shown("", "")
        return _table(self.waiting, columns, "collection.caption_waiting",
                      optional=frozenset({"id", "delivered_on", "amount"}))  # fmt: skip

    @property
    def undated_table(self) -> TableView | Shown:
        """What was agreed without a date, largest first."""
        columns = {"contract_id": "text", "debtor": "name", "owner": "name",
                   "trigger": "trigger", "unpaid_amount": "money"}  # fmt: skip
        if self.undated.empty:
            return Shown("", "")
        return _table(self.undated, columns, "collection.caption_undated",
                      optional=frozenset({"contract_id"}))  # fmt: skip

    @property
    def groups_table(self) -> TableView | Shown:
        """How the teams or owners stand, those with something due or overdue."""
        columns = {"group": "text", "n": "count", "owed_amount": "money",
                   "collected_amount": "money", "collected_share": "ratio",
                   "overdue_amount": "money", "overdue_rate": "ratio"}  # fmt: skip
        names = {"due": "owed_amount", "collected": "collected_amount", "rate": "collected_share",
                 "overdue": "overdue_amount"}  # fmt: skip
        if self.metrics["overdue"] is None:
            return Shown("", "")
        owing = (self.groups["due"] > 0) | (self.groups["overdue"] > 0)
        frame = self.groups[owing].rename(columns=names)
        optional = frozenset({"n", "collected_amount", "overdue_rate"})
        return _table(frame, columns, "collection.caption_groups", optional=optional)


def _table(
    frame: pd.DataFrame, columns: dict[str, str], code: str, *, most: int = 15,
    optional: frozenset[str] = frozenset(),
) -> TableView | Shown:  # fmt: skip
    if frame.empty:
        return _nothing(f"{code}_none")
    shown = frame.rename(columns={"unpaid": "unpaid_amount", "customer": "debtor"})
    return TableView(frame=shown, columns=columns, caption=Say(code, {"n": len(frame)}), most=most,
                     optional=optional)  # fmt: skip


def _nothing(code: str) -> Shown:
    text = Say(code).text()
    return Shown(f"<p>{text}</p>", text)


@shared
def collection(book: Book, *, period: str = "latest") -> Collection:
    """What fell due and what came in, what is late and why, and what will come?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date.

    Returns
    -------
    Collection
        Frames, findings sorted by money at stake, and what could not be computed.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    What is overdue, not due or not accepted is that of the end of the period, or of the book's
    date where that is earlier. The first due date counts throughout, and money belongs to the
    owner of the contract when it was signed. Expected money speaks of signed contracts alone: not
    to be read as a forecast of all cash, nor believed where the terms of payment just changed.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = collection(open_book("tests/metrics/cash_company").as_of("2024-03-31"))
    >>> result.overdue[["id", "unpaid", "overdue_days"]].values.tolist()
    [['i2', 450.0, 31]]
    """
    setting = Setting(book=book, period=book.period(period))
    cash = cash_numbers(book, setting.period)
    exhibits, gaps = _exhibits(cash, setting.period)
    gaps += _gaps(cash)
    findings = _findings(cash)
    m = cash.numbers
    return Collection(
        report="collection",
        setting=setting,
        verdict=words.verdict(m),
        metrics=m,
        exhibits=exhibits,
        findings=findings,
        method=_method(cash),
        gaps=tuple(gaps),
        run=words.run_bar(m),
        lead=Lead(name="lead.overdue", kind="money", value=m["overdue"], prior=m["prior_overdue"],
                  better="down"),
        periods=cash.periods, buckets=cash.buckets, overdue=cash.overdue, coming=cash.coming,
        standing=cash.standing, groups=cash.groups, waiting=cash.waiting, undated=cash.undated,
        tried=cash.tried,
    )  # fmt: skip


def _exhibits(cash: CashNumbers, period: Period) -> tuple[dict[str, Exhibit], list[Gap]]:
    """Give the exhibits that the tables allow, and a gap in the place of each other."""
    keys = ("due", "ageing", "coming", "standing", "overdue")
    at = cash.at
    for needed in ("instalments", "receipts"):
        if not at.has(f"{needed}.amount"):
            return {}, [_missing(f"what.cash_{key}", needed) for key in keys]
    if no_due_dates(at) is not None:
        return {}, [Gap(what=f"what.cash_{key}", reason="missing_column",
                        needs="instalments.original_due_on") for key in keys]  # fmt: skip
    m = cash.numbers

    def behind(name: str) -> Part:
        return rows_behind(at, name, period, {})

    found = (
        words.due_exhibit(period, m, cash.periods, behind("due_collection")),
        words.ageing_exhibit(m, cash.buckets, behind("overdue_rate")),
        words.coming_exhibit(m, cash.coming, behind("cash_expected")),
        words.standing_exhibit(m, cash.standing, behind("not_yet_due")),
        words.overdue_exhibit(m, cash.overdue, behind("overdue")),
    )
    return {exhibit.key: exhibit for exhibit in found}, []


def _missing(what: str, needed: str) -> Gap:
    return Gap(what=what, reason="missing_table", needs=needed)


def _gaps(cash: CashNumbers) -> list[Gap]:
    """Say what is missing, what it would have added, and what was done without it."""
    at, m, found = cash.at, cash.numbers, []
    if cash.undated_receipts:
        found.append(Gap(what="what.cash_prior", reason="undated_receipts",
                         needs="receipts.received_on",
                         evidence={"n": cash.undated_receipts}))  # fmt: skip
    elif at.has("receipts") and cash.coming["expected"].isna().all():
        found.append(Gap(what="what.cash_expected", reason="too_few_payments"))
    if not at.has("targets"):
        found.append(Gap(what="what.cash_plan", reason="missing_table", needs="targets"))
    elif m["target"] is None:
        found.append(Gap(what="what.cash_plan", reason="no_cash_target"))
    if not at.has("invoices"):
        found.append(Gap(what="what.dso", reason="missing_table", needs="invoices"))
    for column in ("delivered_on", "accepted_on"):
        if not at.has(f"contracts.{column}"):
            found.append(Gap(what="what.unaccepted", reason="missing_column",
                             needs=f"contracts.{column}"))  # fmt: skip
            return found
    if acceptance_unknown(at) is not None:
        found.append(Gap(what="what.unaccepted", reason="acceptance_not_recorded"))
    return found


def _findings(cash: CashNumbers) -> tuple[Finding, ...]:
    """Who is late beyond what is normal and chance, and what waits too long for a signature."""
    norms = cash.at.settings.norms.collection
    found = [_late(row, norms) for _index, row in late_groups(cash.rows, norms).iterrows()]
    waiting = waiting_long(cash.waiting, cash.rows, delivered_in_a_year(cash.at), norms)
    if waiting.n and waiting.share > norms.unaccepted_share:
        found.append(_unaccepted(waiting, norms))
    return tuple(sorted(found, key=lambda f: -(f.at_stake or 0)))


def _late(row: "pd.Series[float]", norms: CollectionNorms) -> Finding:
    amount, normal = float(row["amount"]), float(row["norm_amount"])
    back = [max(amount - normal * times, 0.0)
            for times in (norms.tolerance, 1.0, 1 / norms.tolerance)]  # fmt: skip
    return Finding(
        code=f"collection.late_{row['kind']}",
        severity="act",
        subject=str(row["group"]),
        evidence={
            "group": str(row["group"]), "amount": amount, "norm": normal,
            "n": int(row["n_late"]), "n_due": int(row["n_due"]), "tolerance": norms.tolerance,
        },
        at_stake=amount,
        recoverable=Range(low=back[0], middle=back[1], high=back[2]),
        assumption=f"collection.late_{row['kind']}.assumption",
        owner_role="lead",
        action=f"collection.late_{row['kind']}.action",
        lesson="12_cash",
        trust="firm",
    )  # fmt: skip


def _unaccepted(waiting: Waiting, norms: CollectionNorms) -> Finding:
    # Once signed it is paid as is normal: on the due day, 25 days later, half a year later.
    due, month, half = (float(1 - norm_unpaid(day, norms)) for day in (0, 25, 180))
    return Finding(
        code="collection.unaccepted",
        severity="act",
        subject="acceptance",
        evidence={
            "n": waiting.n, "amount": waiting.amount, "unpaid": waiting.unpaid,
            "payable": waiting.payable, "days": norms.unaccepted_days,
            "longest_days": waiting.days, "share": waiting.share,
            "norm_share": norms.unaccepted_share, "due_share": due, "half_share": half,
        },
        at_stake=waiting.unpaid,
        recoverable=Range(low=waiting.payable * due, middle=waiting.payable * month,
                          high=waiting.payable * half),
        assumption="collection.unaccepted.assumption",
        owner_role="delivery",
        action="collection.unaccepted.action",
        lesson="12_cash",
    )  # fmt: skip


def _method(cash: CashNumbers) -> Method:
    source = ["method.allocation", "method.ageing_norm"]
    blind = ["blind.settings_today", "blind.first_dates", "blind.cancelled"]
    n = {"instalments": len(cash.rows), "overdue": len(cash.overdue),
         "undated_instalments": len(cash.undated)}  # fmt: skip
    if cash.undated_receipts:
        n["undated_receipts"] = cash.undated_receipts
    if cash.coming["expected"].notna().any():
        source.append("method.cash_expected")
        blind.append("blind.new_contracts")
        n |= {"tried": len(cash.tried), "held": int(cash.tried["inside"].sum())}
    return Method(source=tuple(source), assumptions=("method.contract_owner",), n=n,
                  blind_spots=tuple(blind))  # fmt: skip
