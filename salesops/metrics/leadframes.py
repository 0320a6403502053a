"""All frames of the conversion report of one book and period, from leads or else from deals."""

from dataclasses import dataclass

import pandas as pd

from salesops.book.book import Book
from salesops.metrics import leadcohorts, leadlists, leadtables, response
from salesops.metrics.cohorts import no_link
from salesops.metrics.leadtables import NOBODY, POOL, LeadFacts, Windows
from salesops.metrics.metric import Table
from salesops.model.calendar import Period
from salesops.model.finding import Gap

TO_CALL_DAYS = 30


@dataclass(frozen=True, kw_only=True, eq=False)
class LeadFrames:
    """The frames; what each holds is said by the function that makes it.

    Attributes
    ----------
    basis
        `leads`, or `deals` where the company keeps no leads.
    side
        What the rows of `sources` are: `source`, or of deals `product_line` or `team`.
    horizon, longer
        Days within which one becomes a customer.
    windows
        Of which leads is spoken.
    cohorts, totals, sources, curve, times, speed, waits, owners, reasons, months, statuses, to_call
        Empty where they can't be known.
    reasons_of
        `leads`, or `deals` where the reasons are those of lost deals.
    gaps
        What could not be computed.
    """

    basis: str
    side: str
    horizon: int
    longer: int
    windows: Windows
    cohorts: pd.DataFrame
    totals: pd.DataFrame
    sources: pd.DataFrame
    curve: pd.DataFrame
    times: pd.DataFrame
    speed: pd.DataFrame
    waits: pd.DataFrame
    owners: pd.DataFrame
    reasons: pd.DataFrame
    reasons_of: str
    months: pd.DataFrame
    statuses: pd.DataFrame
    to_call: pd.DataFrame
    gaps: tuple[Gap, ...]


def lead_frames(book: Book, period: Period) -> LeadFrames:
    """Compute the frames of a book and period."""
    days = sorted(book.settings.norms.conversion_days)
    horizon, longer = days[0], days[-1]
    windows = leadtables.lead_windows(book, period, horizon)
    if book.has("leads.created_at") and book.n("leads"):
        return _from_leads(book, windows, horizon, longer)
    return _from_deals(book, windows, horizon, longer)


def _from_leads(book: Book, windows: Windows, horizon: int, longer: int) -> LeadFrames:
    facts = leadtables.lead_facts(book, horizon, longer)
    gaps: list[Gap] = []
    now, before = (leadtables.by_source(book, facts, w)
                   for w in (windows.settled, windows.settled_before))  # fmt: skip
    sources = leadcohorts.source_rates(now, before)
    cohorts, totals = _signed(book, facts, windows, sources, gaps)
    if not book.has("leads.qualified_at"):
        sources["valid_rate"] = float("nan")
        gaps.append(Gap(what="what.valid_leads", reason="missing_column",
                        needs="leads.qualified_at"))  # fmt: skip
    recent = leadtables.recent_leads(book, facts, windows.recent)
    earlier = leadtables.recent_leads(book, facts, windows.recent_before)
    answers = _answers(book, facts, windows, recent, earlier, gaps)
    silent = answers["owners"].empty and answers["times"].empty
    reasons, reasons_of = _reasons(book, windows, recent, earlier, gaps)
    months = leadtables.by_month_of_creation(book, facts, windows.recent.end)
    calls = leadlists.to_call(book, recent, sources, TO_CALL_DAYS)
    if silent:
        months["untouched_share"] = float("nan")
        calls = leadlists.without_deal(book, recent, TO_CALL_DAYS)
    if not book.has("leads.qualified_at"):
        months["valid_rate"] = float("nan")
    return LeadFrames(
        basis="leads", side="source", horizon=horizon, longer=longer, windows=windows,
        cohorts=cohorts, totals=totals, sources=sources, reasons=reasons, reasons_of=reasons_of,
        months=months, to_call=_with_names(book, calls), gaps=tuple(gaps),
        statuses=_statuses(book, recent if silent else recent.head(0)), **answers,
    )  # fmt: skip


def _signed(
    book: Book, facts: LeadFacts, windows: Windows, sources: pd.DataFrame, gaps: list[Gap]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give cohorts and totals; null where leads and signings can't be brought together."""
    months = leadcohorts.by_month(book, facts.accounts, facts.accounts_long)
    horizons = (facts.horizon, facts.longer)
    cohorts = leadcohorts.cohorts(book, months, horizons, windows.recent.end)
    totals = leadcohorts.totals(book, facts.accounts, windows)
    reason = no_link(book)
    if reason:
        gaps.append(Gap(what="what.cohorts", reason=reason))
        nulls = ("n_signed", "rate", "low", "high", "prior_rate", "prior_signed", "long_rate",
                 "amount", "money_per_lead", "signed_share", "rest_rate", "p", "won_rate", "n_won",
                 "opportunity_rate", "n_opportunity")  # fmt: skip
        for frame in (cohorts, totals, sources):
            frame[[c for c in nulls if c in frame]] = float("nan")
    return cohorts, totals


def _answers(
    book: Book,
    facts: LeadFacts,
    windows: Windows,
    recent: pd.DataFrame,
    earlier: pd.DataFrame,
    gaps: list[Gap],
) -> dict[str, pd.DataFrame]:
    """Give the frames about answers; empty where none were ever recorded."""
    reason = response.no_touches(book)
    if reason:
        # What the statuses can say stands in the place of both, where there are any.
        gaps.append(Gap(what="what.response", reason=reason))
        if recent["owner_id"].isna().all():
            gaps.append(Gap(what="what.untouched", reason=reason))
        names = ("curve", "times", "speed", "waits", "owners")
        return {name: _EMPTY[name].copy() for name in names}
    counted = leadtables.answer_times(book, facts, windows.settled)
    off = recent["is_day_off"]
    curve = pd.DataFrame(
        {
            "hours": leadtables.CURVE,
            "answered_share": leadtables.answer_curve(recent),
            "prior_share": leadtables.answer_curve(earlier),
            "work_share": leadtables.answer_curve(recent[~off]),
            "off_share": leadtables.answer_curve(recent[off]),
        }
    )
    if not _known_then(book, "owner_id"):
        # Whose they were then nobody recorded; the few that are known would mislead.
        recent = recent.assign(owner_id=None)
        gaps.append(Gap(what="what.owners", reason="not_known_then"))
    owners = leadtables.by_owner(book, recent)
    return {
        "curve": curve, "times": leadtables.rates_by_answer(counted),
        "speed": leadtables.effect_of_speed(counted), "waits": leadtables.waits(recent, earlier),
        "owners": _with_names(book, owners),
    }  # fmt: skip


def _known_then(book: Book, field: str) -> bool:
    """Say whether a field of leads is known at the book's date, not only today."""
    return book.is_tracked("leads", field) or book.instant >= book.store.latest


def _reasons(
    book: Book, windows: Windows, recent: pd.DataFrame, earlier: pd.DataFrame, gaps: list[Gap]
) -> tuple[pd.DataFrame, str]:
    """Give the reasons of leads; where none is entered, those of lost deals."""
    found = leadtables.by_reason(recent, earlier)
    if len(found):
        return found, "leads"
    reason = "missing_column" if _known_then(book, "disqualified_reason") else "not_known_then"
    gaps.append(Gap(what="what.lead_reasons", reason=reason, needs="leads.disqualified_reason"))
    return _lost(book, windows, gaps)


def _lost(book: Book, windows: Windows, gaps: list[Gap]) -> tuple[pd.DataFrame, str]:
    both = (windows.recent, windows.recent_before)
    counts = leadcohorts.lost_reasons(book, both)
    named = counts[counts["reason"] != leadtables.UNNAMED]
    if named.empty:
        gaps.append(Gap(what="what.reasons", reason="missing_column",
                        needs="opportunities.lost_reason"))  # fmt: skip
    return leadtables.shares_of_reasons(named), "deals"


def _from_deals(book: Book, windows: Windows, horizon: int, longer: int) -> LeadFrames:
    """Say of deals what can't be said of leads."""
    gaps = [Gap(what=f"what.{what}", reason="missing_table", needs="leads")
            for what in ("leads", "response", "untouched")]  # fmt: skip
    side = leadcohorts.side_of_deals(book)
    short, long = (leadcohorts.deal_rows(book, days, side).cache() for days in (horizon, longer))
    cohorts, totals, sources = _of_deals(book, short, long, windows, (horizon, longer))
    if not len(cohorts):
        gaps.append(Gap(what="what.cohorts", reason="no_rows"))
    if not sources["n"].sum():
        gaps.append(Gap(what="what.sources", reason="no_rows"))
    if book.has("opportunities.lost_reason"):
        reasons, _kind = _lost(book, windows, gaps)
    else:
        reasons = _EMPTY["reasons"].copy()
        gaps.append(Gap(what="what.reasons", reason="missing_table", needs="leads"))
    return LeadFrames(
        basis="deals", side=side, horizon=horizon, longer=longer, windows=windows,
        cohorts=cohorts, totals=totals, sources=sources, reasons=reasons, reasons_of="deals",
        gaps=tuple(gaps),
        **{name: frame.copy() for name, frame in _EMPTY.items() if name != "reasons"},
    )  # fmt: skip


def _of_deals(
    book: Book, short: Table, long: Table, windows: Windows, horizons: tuple[int, int]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    months = leadcohorts.by_month(book, short, long)
    cohorts = leadcohorts.cohorts(book, months, horizons, windows.recent.end)
    now, before = (leadcohorts.deals_by_source(book, short, w)
                   for w in (windows.settled, windows.settled_before))  # fmt: skip
    return cohorts, leadcohorts.totals(book, short, windows), leadcohorts.source_rates(now, before)


def _statuses(book: Book, leads: pd.DataFrame) -> pd.DataFrame:
    return _with_names(book, leadlists.by_status(leads))


def _with_names(book: Book, frame: pd.DataFrame) -> pd.DataFrame:
    """Add `owner`: the name behind `owner_id`."""
    people = dict(book.people()[["id", "name"]].itertuples(index=False))
    names = [people.get(one) or one for one in frame["owner_id"]]
    return frame.assign(owner=pd.Series(names, index=frame.index, dtype=object))


def _empty(*columns: str) -> pd.DataFrame:
    words = {"group", "month", "status", "source", "owner_id", "owner", "reason", "id", "name",
             "company", "created_on"}  # fmt: skip
    kinds = {c: "object" if c in words else "float64" for c in columns}
    return pd.DataFrame(columns=list(columns)).astype(kinds)


_EMPTY = {
    "curve": _empty("hours", "answered_share", "prior_share", "work_share", "off_share"),
    "times": _empty("until", "n", "lead_share", "n_opportunity", "rate", "low", "high",
                    "adjusted_rate"),
    "speed": _empty("n_fast", "n_slow", "fast_rate", "slow_rate", "difference", "low", "high"),
    "waits": _empty("group", "n", "median_hours", "working_hours", "n_old", "n_day"),
    "owners": _empty("owner_id", "owner", "n", "n_untouched", "untouched_share", "low", "high"),
    "reasons": _empty("reason", "n", "share", "prior_n", "prior_share"),
    "months": _empty("month", "n", "valid_rate", "opportunity_rate", "won_rate",
                     "untouched_share"),
    "statuses": _empty("status", "source", "owner_id", "owner", "n"),
    "to_call": _empty("id", "name", "company", "source", "owner_id", "owner", "status",
                      "created_on", "waiting_workdays"),
}  # fmt: skip
__all__ = ["NOBODY", "POOL", "LeadFrames", "lead_frames"]
