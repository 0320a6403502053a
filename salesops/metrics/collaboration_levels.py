"""What departments promised each other and kept, and who did what the settings give to whom."""

import math
from collections import Counter
from typing import TypeAlias

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.versions import AT
from salesops.metrics.clock import with_working_hours
from salesops.metrics.collaboration_load import last_year
from salesops.metrics.response import created_in, lead_answers, no_touches, old_enough
from salesops.metrics.service import ANSWER, SOLUTION, promised
from salesops.model.calendar import Period
from salesops.model.settings import ServiceLevel, Settings

FIRST_RESPONSE, REVIEW, QUOTE = "first_response", "contract_review", "quote"
Table: TypeAlias = ibis.Table
COLUMNS = ["from_role", "to_role", "what", "limit_hours", "n", "kept_share", "prior_share",
           "median_hours", "reason"]  # fmt: skip


def service_levels(book: Book) -> pd.DataFrame:
    """How often did departments keep in the last year what they promised each other?

    Returns
    -------
    pandas.DataFrame
        One row per level of the settings: `from_role`, `to_role`, `what`, `limit_hours`, `n` (cases
        whose time had run out), `kept_share`, `prior_share` (of the year before; null where
        fewer than 30), `median_hours` (of those that were done) and `reason` (code of why nothing
        is known, else null).

    Notes
    -----
    The first answer to a lead counts nights and weekends, all else the working clock. A review
    is the time in the first stage that belongs to the reviewing role, a quote the time from
    the entry into such a stage to the first quote after it; both need a log of stages.
    """
    rows = [_level(book, level) for level in book.settings.service_levels]
    return pd.DataFrame(rows, columns=COLUMNS)


def _level(book: Book, level: ServiceLevel) -> tuple[object, ...]:
    head = (level.from_role, level.to_role, level.what, float(level.hours))
    nothing = (0, math.nan, math.nan, math.nan)
    reason = _unseen(book, level)
    if reason is not None:
        return (*head, *nothing, reason)
    frame, prior = _reduced(book, _cases(book, level, _two_years(book)))
    if not frame["n"]:
        return (*head, *nothing, "no_rows")
    known = prior["n"] >= book.settings.norms.too_few
    before_share = prior["kept"] / prior["n"] if known else math.nan
    median = float(frame["median"])
    return (*head, int(frame["n"]), frame["kept"] / frame["n"], before_share, median, None)


def _two_years(book: Book) -> Period:
    return Period(last_year(book, 1).start, book.date, "")


def _reduced(book: Book, rows: Table) -> tuple["pd.Series[float]", "pd.Series[float]"]:
    """Sum the cases of the last year, and those of the year before."""
    rows = rows.mutate(lately=book.calendar.contains(last_year(book), rows.at))
    done = ibis.ifelse(rows.is_done, rows.hours, ibis.null("float64"))
    rows = rows.mutate(taken=done, kept=ibis.ifelse(rows.is_kept, 1, 0))
    sums = rows.group_by("lately").agg(n=_.count(), kept=_.kept.sum(), median=_.taken.median())
    frame = sums.to_pandas().set_index("lately").astype("float64").reindex([True, False])
    frame = frame.fillna({"n": 0.0, "kept": 0.0})
    return frame.loc[True], frame.loc[False]


def _unseen(book: Book, level: ServiceLevel) -> str | None:
    """Say which data is lacking for a level; nothing where it can be measured."""
    needs = {
        FIRST_RESPONSE: ("leads.created_at",), ANSWER: ("tickets.opened_at",
        "tickets.first_response_at"), SOLUTION: ("tickets.opened_at", "tickets.closed_at"),
        REVIEW: ("changes.changed_at",), QUOTE: ("changes.changed_at", "quotes.issued_at"),
    }.get(level.what)  # fmt: skip
    if needs is None:
        return "not_recorded"
    for need in needs:
        if not book.has(need):
            return f"missing:{need}"
    if level.what == FIRST_RESPONSE:
        return no_touches(book)
    if level.what in (REVIEW, QUOTE):
        if not stages_of(book.settings, level.to_role):
            return "no_stage"
        told = book.tracked.get("opportunities", {}).get("stage")
        if told is None:
            return "no_stage_history"
        return "only_between_imports" if told.how == "snapshot" else None
    return None


def stages_of(settings: Settings, role: str) -> list[str]:
    """Name the open stages that belong to a role."""
    return [s.id for s in settings.stages if s.kind == "open" and s.owner_role == role]


def _cases(book: Book, level: ServiceLevel, period: Period) -> Table:
    """One row per case of the period whose time is over: `is_done`, `is_kept`, `hours`."""
    if level.what == FIRST_RESPONSE:
        rows = old_enough(book, created_in(book, lead_answers(book), period), level.hours)
        done = rows.answered_at.notnull()
        return rows.select(at="created_at", is_done=done, hours="elapsed_hours",
                           is_kept=done & (rows.elapsed_hours <= level.hours))  # fmt: skip
    if level.what in (ANSWER, SOLUTION):
        rows = promised(book, period, level.what)
        done = (
            rows.first_response_at.notnull() if level.what == ANSWER else rows.closed_at.notnull()
        )
        return rows.select(at="opened_at", is_done=done, hours="taken_hours", is_kept="is_in_time")
    return _stage_cases(book, level, period)


def _stage_cases(book: Book, level: ServiceLevel, period: Period) -> Table:
    """Follow deals from their entry into the stage of a role to what ends the promise."""
    entries = _entries(book, stages_of(book.settings, level.to_role), period)
    now = ibis.literal(book.instant).cast(AT)
    if level.what == QUOTE:
        quotes = book.quotes.select("opportunity_id", "issued_at")
        pairs = entries.join(quotes, [entries.id == quotes.opportunity_id,
                                      entries.valid_from <= quotes.issued_at])  # fmt: skip
        first = pairs.group_by(quote_id="id").agg(done_at=_.issued_at.min())
        entries = entries.left_join(first, entries.id == first.quote_id).drop("quote_id")
    else:
        over = ibis.ifelse(entries.is_current, ibis.null(AT), entries.valid_to.cast(AT))
        entries = entries.mutate(done_at=over)
    rows = entries.mutate(now_=now, until_=ibis.coalesce(entries.done_at, now).cast(AT))
    rows = with_working_hours(book, rows, {"hours": ("valid_from", "until_"),
                                           "passed_hours": ("valid_from", "now_")})  # fmt: skip
    rows = rows.filter(rows.passed_hours >= level.hours)
    if level.what == QUOTE:
        # A deal that ended without a quote needed none.
        rows = rows.filter(rows.done_at.notnull() | (rows.outcome == "open"))
    done = rows.done_at.notnull()
    kept = done & (rows.hours <= level.hours)
    return rows.select(at="valid_from", is_done=done, hours="hours", is_kept=kept)


def _entries(book: Book, stages: list[str], period: Period) -> Table:
    """Give the first entry of each deal into one of some stages, where it falls into a period."""
    selling = book.without_renewals()
    spans = selling.history("opportunities").filter(_.stage.isin(stages))
    order = ibis.window(group_by="id", order_by="valid_from")
    first = spans.mutate(rank=ibis.row_number().over(order)).filter(_.rank == 0)
    first = first.filter(book.calendar.contains(period, first.valid_from))
    deals = selling.opportunities.select("outcome", deal_id="id")
    joined = first.join(deals, first.id == deals.deal_id)
    return joined.select("id", "valid_from", "valid_to", "is_current", "outcome")


def raci_gaps(book: Book) -> pd.DataFrame:
    """Which duties of the settings have nobody who does them, or nobody, or several, who answer?

    Returns
    -------
    pandas.DataFrame
        One row per gap: `duty` of the settings, `gap` (`no_r`, `no_a`, `many_a`), `role` and
        `n_duties` null; then one per role that does or answers for duties, or owns open stages,
        and that nobody has: `gap` is `role_empty`, `duty` null. Most duties first.
    """
    rows: list[tuple[str | None, str, str | None, float]] = []
    needed: Counter[str] = Counter()
    for duty, parts in book.settings.raci.items():
        letters = list(parts.values())
        if "R" not in letters:
            rows.append((duty, "no_r", None, math.nan))
        if letters.count("A") != 1:
            rows.append((duty, "many_a" if "A" in letters else "no_a", None, math.nan))
        needed.update(role for role, letter in parts.items() if letter in "RA")
    stages = [s.owner_role for s in book.settings.stages if s.kind == "open" and s.owner_role]
    needed.update(stages)
    held = _roles_held(book)
    if held:
        rows = [*((None, "role_empty", role, float(n)) for role, n in needed.most_common()
                  if role not in held), *rows]  # fmt: skip
    return pd.DataFrame(rows, columns=["duty", "gap", "role", "n_duties"])


def _roles_held(book: Book) -> set[str]:
    """Name the roles that somebody has today."""
    if not book.has("users.role"):
        return set()
    users = book.unscoped("users")
    here = users.filter(users.left_on.isnull() | (users.left_on > book.date))
    return set(here.select("role").distinct().to_pandas()["role"].dropna())


def who_acted(book: Book) -> pd.DataFrame:
    """Who wrote down touches in the stages of each role in the last year?

    Returns
    -------
    pandas.DataFrame
        One row per open stage, in order: `stage`, `role` (in charge), `n` (touches of deals that
        stood in it), `own_share` (by people of that role; null without touches), `acted` (the role
        with most) and `acted_share`. Empty without a log of stages.
    """
    acts = book.activities
    acts = acts.filter(acts.opportunity_id.notnull(), acts.user_id.notnull(),
                       book.calendar.contains(last_year(book), acts.occurred_at))  # fmt: skip
    users = book.unscoped("users").select("role", person="id")
    acts = acts.join(users, acts.user_id == users.person)
    acts = acts.select("opportunity_id", "occurred_at", acted="role")
    spans = book.history("opportunities").select("id", "stage", "valid_from", "valid_to")
    met = acts.join(spans, [acts.opportunity_id == spans.id, acts.occurred_at >= spans.valid_from,
                            acts.occurred_at < spans.valid_to])  # fmt: skip
    counts = met.group_by(["stage", "acted"]).agg(n=_.count()).order_by("stage", "acted")
    frame = counts.to_pandas()
    rows = []
    for stage in (s for s in book.settings.stages if s.kind == "open"):
        mine = frame[frame["stage"] == stage.id]
        n = int(mine["n"].sum())
        if not n:
            rows.append((stage.id, stage.owner_role, 0, math.nan, None, math.nan))
            continue
        top = mine.loc[mine["n"].idxmax()]
        own = float(mine.loc[mine["acted"] == stage.owner_role, "n"].sum())
        rows.append((stage.id, stage.owner_role, n, own / n, top["acted"], float(top["n"]) / n))
    columns = ["stage", "role", "n", "own_share", "acted", "acted_share"]
    return pd.DataFrame(rows, columns=columns)
