"""The plan of every deal: who, what, when and how it ends.

Deals are laid out backwards: the day of the outcome comes from the season, the length from the
cycle, and creation is the difference. So signings follow the season exactly and lengths follow
their distribution; a company that is looked at in the middle is in a steady state.
"""

import numpy as np
import pandas as pd

from salesops.sample.draws import NONE, Draws, Flags, Ints, lognormal, normal_scores
from salesops.sample.people import choose_rep
from salesops.sample.timeline import DAY, Timeline

WON, LOST, VOID = 0, 1, 2
OPEN_STAGES = ("acquisition", "needs", "proposal", "negotiation", "legal_review")
ENTERED = tuple(f"entered_{stage}" for stage in OPEN_STAGES)

PER_MONTH = 165
DECIDED, WIN_RATE = 0.90, 0.25
SIZE_MEDIAN, SIZE_SIGMA = 140_000, 1.0987  # mean 256,000; the top tenth holds 43 %
# Bigger deals win less: chance falls by this power of the size in standard deviations, which puts
# the mean won deal near 220,000 and the win rate by value near 22 %: 222,000 and 21.7 %.
SIZE_TILT = 0.128
LARGE = 800_000
LARGE_CYCLE, REPEAT_CYCLE, LOST_CYCLE, VOID_CYCLE = 150, 30, 50, 35
# With repeats and large deals beside them these put the median at 75 and the 90th at 190 days.
USUAL_CYCLE, CYCLE_SIGMA = 81, 0.68
SOURCES = ("leads", "self_found", "existing", "referral", "partner")
SOURCE_WEIGHTS = (45, 30, 12, 3, 10)
PRODUCTS = ("软件", "设备", "订阅", "服务")
PRODUCT_WEIGHTS = (34, 26, 28, 12)
# Where lost and void deals end.
LOST_AT = (28, 30, 21, 17, 4)
# Of the days of a year so many are worked.
WORKED_DAYS = 250
# Share of a deal's life in each stage, per cent; the drawn shares vary around it.
STAGE_SHARES = (20, 25, 20, 27, 8)
SKIP_SHARE, BACK_SHARE = 0.04, 0.03
NEW, EXPANSION, RENEWAL = 0, 1, 2
# Website, search, fairs, events, content.
LEAD_WORD_WEIGHTS = (30, 15, 25, 15, 15)
# With the empty ones price makes up 40 % of what is told about losses.
LOST_REASON_WEIGHTS = (23, 21, 14, 16, 9, 11, 6)


def plan(draws: Draws, timeline: Timeline, users: pd.DataFrame, per_month: int) -> pd.DataFrame:
    """Lay out the new and expansion deals, from the burn-in to long after the end.

    Returns
    -------
    pandas.DataFrame
        One row per deal in order of creation: `created, closed` (instants), `outcome`, `amount`
        (cents), `source, product` (positions), `team` and `owner` (position of the first owner).
    """
    deals = _outcomes(draws, timeline, per_month)
    n = len(deals)
    deals["source"] = draws.pick(SOURCE_WEIGHTS, n)
    deals["product"] = draws.pick(PRODUCT_WEIGHTS, n)
    deals["amount"] = _sizes(draws, deals.outcome.to_numpy())
    deals["closed"] = timeline.at_work(draws, deals.closed.to_numpy())
    deals["created"] = _created(draws, timeline, deals)
    deals["team"] = _teams(draws, users, n)
    deals = deals.sort_values(["created", "closed"], kind="stable").reset_index(drop=True)
    deals["owner"] = choose_rep(
        draws, users, deals.team.to_numpy(), deals.created.to_numpy() // DAY
    )
    deals["push_step"] = 0
    return deals


def _outcomes(draws: Draws, timeline: Timeline, per_month: int) -> pd.DataFrame:
    """Draw the days on which deals end: won by season, lost and void by working day."""
    season = timeline.signing_weights
    days = timeline.first + np.arange(len(season))
    # Losses are booked when somebody tidies up: any working day, a little more at month ends.
    loss = np.where(timeline.is_work(days), 1.0, 0.0) * (1 + 0.9 * _month_end(days))
    loss[season == 0] *= 0.15
    loss_weights = np.rint(loss * 1_000_000).astype(np.int64)
    a_day = per_month * 12 / 365
    rates = {WON: DECIDED * WIN_RATE, LOST: DECIDED * (1 - WIN_RATE), VOID: 1 - DECIDED}
    parts = []
    for outcome, share in rates.items():
        weights = season if outcome == WON else loss_weights
        n = round(a_day * share * len(days))
        parts.append(pd.DataFrame({"outcome": outcome, "closed": days[draws.pick(weights, n)]}))
    return pd.concat(parts, ignore_index=True)


def _month_end(days: Ints) -> "np.ndarray":
    of_month = days.astype("datetime64[D]") - days.astype("datetime64[D]").astype("datetime64[M]")
    return (of_month.astype(np.int64) >= 25).astype(float)


def _sizes(draws: Draws, outcome: Ints) -> Ints:
    """Draw amounts in cents, to the full hundred yuan."""
    table = lognormal(SIZE_MEDIAN, SIZE_SIGMA)
    scores = normal_scores()
    # Given the outcome, the level of size is drawn in proportion to the chance of that outcome.
    tilt = np.rint(np.exp(-SIZE_TILT * scores - SIZE_TILT**2 / 2) * 10_000).astype(np.int64)
    weights = {WON: tilt, LOST: 40_000 - tilt, VOID: np.full(len(scores), 1)}
    amounts = np.empty(len(outcome), np.int64)
    for kind, weight in weights.items():
        here = outcome == kind
        amounts[here] = table[draws.pick(weight, int(here.sum()))]
    return np.maximum(amounts // 100, 50) * 100 * 100


def _created(draws: Draws, timeline: Timeline, deals: pd.DataFrame) -> Ints:
    """Count back the length of each deal from its end."""
    n = len(deals)
    median = np.full(n, USUAL_CYCLE)
    median[deals.source == SOURCES.index("existing")] = REPEAT_CYCLE
    median[deals.amount > LARGE * 100] = LARGE_CYCLE
    lost = (deals.outcome != WON).to_numpy()
    # Losses keep the same order among themselves and centre on their own median.
    median = np.where(lost, median * LOST_CYCLE // 75, median)
    median = np.where(deals.outcome == VOID, VOID_CYCLE, median)
    length = median * lognormal(10_000, CYCLE_SIGMA, 60_000)[draws.level(n)] // 10_000
    # Counted back in working days, so that no weekday has more beginnings than another.
    worked = np.clip(length, 2, 700) * WORKED_DAYS + draws.whole(0, 364, n)
    index = timeline.work_index(deals.closed.to_numpy() // DAY) - np.maximum(worked // 365, 1)
    at = timeline.work_day(index) * DAY + draws.whole(9 * 3600, 17 * 3600, n)
    return np.minimum(at, deals.closed.to_numpy() - 20 * 3600)


def _teams(draws: Draws, users: pd.DataFrame, n: int) -> "np.ndarray":
    seats = users[users.role == "rep"].groupby("team", sort=False).seat.nunique()
    return seats.index.to_numpy(dtype=object)[draws.pick(seats.to_numpy(), n)]


def in_order(deals: pd.DataFrame) -> pd.DataFrame:
    """Put deals in order of creation."""
    return deals.sort_values(["created", "closed"], kind="stable").reset_index(drop=True)


def lay_stages(draws: Draws, deals: pd.DataFrame) -> None:
    """Lay the stages between creation and end: the stage of exit and the instants of entry.

    Reads the planted columns `skips_needs` and `slow_legal` (days, 0 for the usual share).
    """
    n = len(deals)
    last = len(OPEN_STAGES) - 1
    exits = np.where(deals.outcome == WON, last, draws.pick(LOST_AT, n))
    parts = np.stack([share * (40 + draws.whole(0, 120, n)) for share in STAGE_SHARES])
    reached = np.arange(last + 1)[:, None] <= exits
    skipped = np.zeros_like(reached)
    # A natural skip: one stage in the middle is never entered.
    which = draws.whole(1, 3, n)
    skipped[which, np.arange(n)] = draws.chance(SKIP_SHARE, n) & (which < exits)
    planted = deals.skips_needs.to_numpy()
    exits = np.where(planted, np.maximum(exits, 2), exits)
    reached = np.arange(last + 1)[:, None] <= exits
    skipped[:, planted] = False
    skipped[1] |= planted
    parts = np.where(reached & ~skipped, parts, 0)
    life = deals.closed.to_numpy() - deals.created.to_numpy()
    _slow_down_legal(deals, parts, exits == last, life)
    ends = np.cumsum(parts, axis=0)
    begins = deals.created.to_numpy() + (ends - parts) * (life // 60) // ends[-1] * 60
    for number, column in enumerate(ENTERED):
        deals[column] = np.where(reached[number] & ~skipped[number], begins[number], NONE)
    deals["exit_stage"] = exits


def _slow_down_legal(deals: pd.DataFrame, parts: Ints, reaches: Flags, life: Ints) -> None:
    """Give legal review the planted number of days, at most 60 % of the deal's life."""
    days = deals.slow_legal.to_numpy()
    here = np.flatnonzero(reaches & (days > 0))
    share = np.minimum(days[here] * DAY * 10_000 // np.maximum(life[here], 1), 6_000)
    parts[:, here] *= 1_000
    others = parts[:-1, here].sum(axis=0)
    parts[-1, here] = np.maximum(others * share // (10_000 - share), 1)


def describe_deals(draws: Draws, deals: pd.DataFrame) -> None:
    """Add what people enter once: type, words of the source, competitor, reason of the loss."""
    n = len(deals)
    first = ~deals.account.duplicated().to_numpy()
    existing = (deals.source == SOURCES.index("existing")).to_numpy()
    deals["type"] = np.where(existing & ~first, EXPANSION, NEW)
    low = np.array([0, 5, 6, 7, 8])[deals.source.to_numpy()]
    # Five words of marketing for leads, one for each other source.
    lead_word = draws.pick(LEAD_WORD_WEIGHTS, n)
    deals["source_word"] = np.where(deals.source == 0, lead_word, low)
    deals["competitor"] = np.where(draws.chance(0.35, n), draws.whole(0, 3, n), NONE)
    empty = draws.chance(0.22, n)
    reason = draws.pick(LOST_REASON_WEIGHTS, n)
    deals["lost_reason"] = np.where((deals.outcome != LOST) | empty, NONE, reason)
