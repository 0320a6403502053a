"""Work that is delivered and not accepted, and a source whose leads never become customers."""

import datetime as dt
import math

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.checks.check import Check, Norm, Seen, Tested, no_gains
from salesops.checks.followup import NOT_SIZED, rows_of
from salesops.metrics.cash_frames import delivered_in_a_year, unaccepted
from salesops.metrics.cohorts import no_link
from salesops.metrics.collection import acceptance_unknown
from salesops.metrics.opendeals import standing
from salesops.metrics.receivables import norm_unpaid, receivables
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap
from salesops.model.settings import CollectionNorms

# Leads of two years are counted, those of the last weeks apart: they have had no time yet.
RECENT, RIPE = 730, 90
# A source whose leads become customers two thirds as often as others' is still normal.
TOLERATED = 2 / 3
# Days after the due day at which the settings say what is normally paid.
_DUE, _MONTH, _HALF_YEAR = 0, 25, 180


def _unaccepted(book: Book, period: Period) -> Seen:
    """What waits longer for a signature than the settings allow, of the year's deliveries."""
    book = standing(book, period)
    norms = book.settings.norms.collection
    norm = Norm(value=norms.unaccepted_share, tolerance=0.0, source="settings")
    if acceptance_unknown(book) is not None:
        gap = Gap(what="check.unaccepted", reason="acceptance_not_recorded")
        return Seen(value=math.nan, n=0, norm=norm, gaps=(gap,))
    waiting, delivered = unaccepted(book), delivered_in_a_year(book)
    long = waiting[waiting["waiting_days"] > norms.unaccepted_days]
    share = float(long["amount"].sum()) / delivered if delivered > 0 else math.nan
    if long.empty:
        return Seen(value=share, n=len(waiting), norm=norm)
    owed = _owed(book, long["id"])
    due, month, half = _paid(norms)
    finding = Finding(
        code="diagnosis.unaccepted", severity="act",
        evidence={
            "n": len(long), "amount": float(long["amount"].sum()), "days": norms.unaccepted_days,
            "longest_days": int(long["waiting_days"].max()), "share": share, "norm": norm.value,
            "payable": float(owed["unpaid"].sum()), "due_share": due, "half_share": half,
        },
        assumption="diagnosis.unaccepted.assumption" if len(owed) else NOT_SIZED,
        owner_role="delivery", action="diagnosis.unaccepted.action", lesson="12_cash",
    )  # fmt: skip
    # Counted, not estimated: it is beyond the norm or it is not.
    p = 0.0 if math.isnan(share) or share > norm.limit else 1.0
    gains = pd.DataFrame({"table": "instalments", "id": owed["id"].astype(object),
                          "amount": owed["unpaid"], "low": due, "middle": month,
                          "high": half})  # fmt: skip
    test = Tested(p=p, finding=finding, rows=rows_of("contracts", long["id"]),
                  gains=gains if len(owed) else no_gains())  # fmt: skip
    return Seen(value=share, n=len(waiting), norm=norm, tests=(test,))


def _owed(book: Book, contracts: "pd.Series[str]") -> pd.DataFrame:
    """Give what falls due once the acceptance is signed; retention money comes much later."""
    if not (book.has("instalments") and book.n("instalments")):
        return pd.DataFrame({"id": [], "unpaid": []}).astype({"id": "object", "unpaid": "float64"})
    rows = receivables(book)
    mine = rows["contract_id"].isin(contracts) & (rows["unpaid"] > 0)
    return rows[mine & (rows["trigger"] != "retention")][["id", "unpaid"]]


def _paid(norms: CollectionNorms) -> tuple[float, float, float]:
    """Give the share paid on the due day, a month and half a year later, as is normal."""
    found = 1.0 - norm_unpaid([_DUE, _MONTH, _HALF_YEAR], norms)
    return float(found[0]), float(found[1]), float(found[2])


def leads_of_sources(book: Book) -> pd.DataFrame:
    """Count the leads of each source and the customers that they became.

    Returns
    -------
    pandas.DataFrame
        One row per source, most leads first: `source`, `n` leads created in the last two years
        and at least 90 days ago, `won` (whose deal was won).
    """
    days = [book.date - dt.timedelta(days=back) for back in (RECENT, RIPE)]
    first, last = (instant(book.calendar.start_of(day)) for day in days)
    leads = book.leads.filter(_.source.notnull(), _.created_at >= first, _.created_at < last)
    won = book.unscoped("opportunities").filter(_.outcome == "won").id
    became = leads.opportunity_id.isin(won).fill_null(False)
    counted = leads.group_by("source").agg(n=_.count(), won=became.ifelse(1, 0).sum())
    frame = counted.to_pandas().sort_values(["n", "source"], ascending=[False, True])
    return frame.astype({"won": int}).reset_index(drop=True)


def fewer(hits: int, n: int, other_hits: int, other_n: int, ratio: float = TOLERATED) -> float:
    """How likely are so few of n, were the share `ratio` of that of the others?

    Notes
    -----
    Przyborowski & Wilenski (1940), Biometrika 31, 313–323: given the sum, the first is binomial.

    Examples
    --------
    >>> round(fewer(0, 100, 10, 100), 4)
    0.006
    """
    from scipy.special import bdtr

    if not n or not other_n or not hits + other_hits:
        return 1.0
    share = ratio * n / (ratio * n + other_n)
    return float(bdtr(hits, hits + other_hits, share))


def _weak_source(book: Book, period: Period) -> Seen:
    """Per source with many leads: how seldom they become customers, beside all others."""
    book = standing(book, period)
    if no_link(book) is not None:
        gap = Gap(what="check.weak_source", reason=str(no_link(book)))
        return Seen(value=math.nan, n=0, gaps=(gap,))
    sources = leads_of_sources(book)
    n, won = int(sources["n"].sum()), int(sources["won"].sum())
    norm = Norm(value=1.0, tolerance=TOLERATED - 1.0, source="learnt")
    tests, ratios = [], []
    for name, of, got in sources[["source", "n", "won"]].itertuples(index=False):
        if of < book.settings.norms.too_few or of == n or won - got < 1:
            continue
        rate = (won - got) / (n - of)
        ratios.append(got / of / rate)
        finding = Finding(
            code="diagnosis.weak_source", severity="act", subject=str(name),
            evidence={
                "source": str(name), "n": int(of), "won": int(got), "lead_share": of / n,
                "won_share": got / won, "rate": got / of, "norm_rate": rate, "n_leads": n,
            },
            owner_role="marketing", action="diagnosis.weak_source.action", lesson="07_conversion",
            trust="firm",
        )  # fmt: skip
        tests.append(Tested(p=fewer(int(got), int(of), won - int(got), n - int(of)),
                            finding=finding))  # fmt: skip
    return Seen(value=min(ratios, default=math.nan), n=n, norm=norm, tests=tuple(tests))


CHECKS: tuple[Check, ...] = (
    Check(id="unaccepted", pain="teamwork", unit="ratio",
          needs=("contracts.delivered_on", "contracts.accepted_on"), look=_unaccepted, apart=True),
    Check(id="weak_source", pain="review", unit="times",
          needs=("leads.source", "leads.created_at", "leads.opportunity_id"), look=_weak_source,
          apart=True),
)  # fmt: skip
