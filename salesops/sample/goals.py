"""Targets down to the person, what people said would come, and what was decided."""

import numpy as np
import pandas as pd

from salesops.model.calendar import Period
from salesops.sample.company import Company
from salesops.sample.deals import RENEWAL, WON
from salesops.sample.draws import NONE, Ints, lognormal
from salesops.sample.options import scaled, scaled_share
from salesops.sample.people import SEATS
from salesops.sample.planted import month_start, real_change_teams, seasoned_reps
from salesops.sample.timeline import DAY, day_number

YEAR_TARGET = 102_000_000
OVER_ASSIGNMENT = 1.12
COLLECTION_YEAR, CUSTOMERS_YEAR = 96_000_000, 330
RAMP_QUOTA = (0, 15, 35, 60, 80, 100)
# People's quotas are whole multiples of this, so that a team's target is in whole thousands.
STEP = 1_120
NO_TARGET_REPS, NO_TARGET_MONTHS, TEAM_GAP = 3, 4, 1_200_000
CLIFFS, BELOW_CLIFF, MOVED_SHARE = (0.8, 1.0), 0.10, 0.25
CATEGORY_SHARES = {"commit": 82, "best_case": 108, "pipeline": 165}


def set_targets(company: Company) -> None:
    """Set targets by month: frame `targets` with `period, level, key, metric, amount, set`.

    `key` is a region, a team or the position of a person; amounts are yuan or counts.
    """
    rows: list[tuple[object, ...]] = []
    for month in _planned_months(company):
        rows += _month_of_targets(company, month)
    frame = pd.DataFrame(rows, columns=["period", "level", "key", "metric", "amount", "set"])
    company["targets"] = _without_some(company, frame)


def _planned_months(company: Company) -> list[Period]:
    """List the months of all fiscal years that have begun."""
    months = company.timeline.months()
    last = months[-1]
    return months + [last.shifted(n) for n in range(1, 13 - last.start.month)]


def season(company: Company, month: Period) -> float:
    """Give the share of its year that a month is expected to sign."""
    line = company.timeline
    weights = line.signing_weights
    first = day_number(Period.parse(str(month.start.year), on=month.start).start) - line.first
    here = day_number(month.start) - line.first
    days = 366 if month.start.year % 4 == 0 else 365
    whole = weights[first : first + days].sum()
    return float(weights[here : here + month.days].sum() / whole)


def _month_of_targets(company: Company, month: Period) -> list[tuple[object, ...]]:
    year_set = day_number(month.start.replace(year=month.start.year - 1, month=12, day=20))
    size = company.per_month / 165
    share, before = season(company, month), season(company, month.shifted(-1))
    seats = _seats(company)
    people = _people_of(company, month, YEAR_TARGET * size * share)
    bookings = {
        team: round(sum(a for _w, a in rows) / OVER_ASSIGNMENT) for team, rows in people.items()
    }
    cash = COLLECTION_YEAR * size * (share + before) / 2
    collection = {team: round(cash * seats[team] / 1000) * 1000 for team in company.teams}
    customers = {
        team: max(round(CUSTOMERS_YEAR * size * share * seats[team]), 1) for team in company.teams
    }
    found: list[tuple[object, ...]] = []
    for metric, teams in (
        ("bookings", bookings),
        ("collection", collection),
        ("new_customers", customers),
    ):
        found += _tree(month, metric, teams, year_set)
    quarter = day_number(month.start.replace(month=(month.start.month - 1) // 3 * 3 + 1))
    for team in company.teams:
        for who, amount in people[team]:
            found.append((month.text, "user", who, "bookings", amount, quarter - 3))
    return found


def _tree(month: Period, metric: str, teams: dict[str, int], day: int) -> list[tuple[object, ...]]:
    regions: dict[str, int] = {}
    for team, amount in teams.items():
        region = team.split("/")[0]
        regions[region] = regions.get(region, 0) + amount
    rows: list[tuple[object, ...]] = [(month.text, "company", "", metric, sum(teams.values()), day)]
    rows += [(month.text, "region", key, metric, amount, day) for key, amount in regions.items()]
    return rows + [(month.text, "team", key, metric, amount, day) for key, amount in teams.items()]


def _seats(company: Company) -> dict[str, float]:
    sizes = [SEATS[i % len(SEATS)] for i in range(len(company.teams))]
    return {team: n / sum(sizes) for team, n in zip(company.teams, sizes, strict=True)}


def _people_of(
    company: Company, month: Period, company_target: float
) -> dict[str, list[tuple[int, int]]]:
    """Split each team's part over the people who were there when the quarter began."""
    users, seats = company["users"], _seats(company)
    begin = day_number(month.start.replace(month=(month.start.month - 1) // 3 * 3 + 1))
    middle = day_number(month.start) + 14
    there = (users.role == "rep") & (users.hired <= begin)
    there &= (users.left == NONE) | (users.left > begin)
    found: dict[str, list[tuple[int, int]]] = {}
    for team in company.teams:
        reps = users[(there & (users.team == team)).to_numpy()]
        months = np.clip((middle - reps.hired.to_numpy()) // 30, 0, 5)
        weights = np.array(RAMP_QUOTA)[months]
        if not weights.sum():
            weights = np.ones(len(reps), np.int64)
        whole = company_target * seats[team] * OVER_ASSIGNMENT
        amounts = np.rint(whole * weights / weights.sum() / STEP).astype(np.int64) * STEP
        found[team] = list(zip(reps.index.tolist(), amounts.tolist(), strict=True))
    return found


def _without_some(company: Company, targets: pd.DataFrame) -> pd.DataFrame:
    """P1: some reps have no target for months; one team's is not the sum of its people's."""
    multiple = company.options.size("P1")
    if not multiple:
        company.facts["P1"] = {"reps": [], "team": None}
        return targets
    reps = seasoned_reps(company, round(scaled(0, NO_TARGET_REPS, multiple)), skip=7)
    months = round(scaled(0, NO_TARGET_MONTHS, multiple))
    last = [m.text for m in company.timeline.months()[-months:]]
    gone = (targets.level == "user") & targets.key.isin(reps.tolist()) & targets.period.isin(last)
    targets = _given_to_mates(company, targets, gone)
    team, open_months = company.teams[0], _months_with_quotas(company)
    path = {"company": "", "region": team.split("/")[0], "team": team}
    gap = round(scaled(0, TEAM_GAP, multiple))
    parts = {month: gap // len(open_months) for month in open_months}
    parts[open_months[0]] += gap - sum(parts.values())
    for level, key in path.items():
        rows = (targets.level == level) & (targets.key == key) & (targets.metric == "bookings")
        targets["amount"] += targets.period.map(parts).fillna(0).astype(np.int64) * rows
    company.facts["P1"] = {
        "reps": reps.tolist(), "months": last, "team": team, "gap_months": open_months, "gap": gap,
    }  # fmt: skip
    return targets


def _months_with_quotas(company: Company) -> list[str]:
    """List the months of the last year for which people know their quotas."""
    last = company.timeline.months()[-1]
    quarter_end = (last.start.month + 2) // 3 * 3
    return [f"{last.start.year}-{month:02d}" for month in range(1, quarter_end + 1)]


def _given_to_mates(company: Company, targets: pd.DataFrame, gone: pd.Series) -> pd.DataFrame:
    """Take targets away and share them out in the team, whose people still add up to its own."""
    team = company["users"].team.to_numpy()
    amount = targets.amount.to_numpy().copy()
    is_user = (targets.level == "user").to_numpy() & ~gone.to_numpy()
    keys = np.where(is_user | gone.to_numpy(), targets.key, 0).astype(np.int64)
    for row in np.flatnonzero(gone.to_numpy()).tolist():
        mates = is_user & (targets.period == targets.period[row]).to_numpy() & (amount > 0)
        mates = np.flatnonzero(mates & (team[keys] == team[keys[row]]))
        each, rest = divmod(int(amount[row]) // STEP, max(len(mates), 1))
        amount[mates] += STEP * (each + (np.arange(len(mates)) < rest))
    return targets.assign(amount=amount)[~gone].reset_index(drop=True)


def move_over_cliffs(company: Company) -> None:
    """P13: results just below a step of the pay plan are moved to just above it."""
    multiple, draws = company.options.size("P13"), company.draws("P13")
    share = scaled_share(0.0, MOVED_SHARE, multiple)
    deals, targets = company["deals"], company["targets"]
    won = deals[(deals.outcome == WON) & (deals["type"] != RENEWAL)]
    months = (
        (won.closed.to_numpy() // DAY).astype("datetime64[D]").astype("datetime64[M]").astype(int)
    )
    keys = pd.DataFrame({"who": won.last_owner, "quarter": months // 3, "amount": won.amount})
    actual = keys.groupby(["who", "quarter"]).amount.sum()
    plan = targets[targets.level == "user"]
    number = (
        pd.PeriodIndex(plan.period, freq="M").year * 4
        + (pd.PeriodIndex(plan.period, freq="M").month - 1) // 3
    )
    quota = plan.assign(quarter=number - 1970 * 4).groupby(["key", "quarter"]).amount.sum() * 100
    quota.index.names = ["who", "quarter"]
    both = pd.concat([actual.rename("actual"), quota.rename("quota")], axis=1, join="inner")
    # Whole quarters that are over and shown whole.
    quarters = both.index.get_level_values("quarter")
    both = both[(both.quota > 0) & quarters.isin(_whole_quarters(company))].sort_index()
    reached = both.actual / both.quota
    amounts = deals.amount.to_numpy().copy()
    moved, n_below = [], 0
    for cliff in CLIFFS:
        below = both[(reached >= cliff - BELOW_CLIFF) & (reached < cliff)]
        # To the head over both cliffs: a quarter of few is a few.
        before, n_below = n_below, n_below + len(below)
        wanted = round(share * n_below) - round(share * before)
        chosen = below.iloc[np.sort(draws.order(len(below))[:wanted])]
        over = 1002 + draws.whole(0, 28, len(chosen))
        for (who, quarter), row, just in zip(chosen.index, chosen.itertuples(), over, strict=True):
            wanted = int(row.quota * cliff) * int(just) // 1000
            rows = keys[(keys.who == who) & (keys.quarter == quarter)]
            largest = rows.amount.idxmax()
            amounts[largest] += (wanted - int(row.actual)) // 10_000 * 10_000
            moved.append({"who": int(who), "quarter": int(quarter), "cliff": cliff})
    deals["amount"] = amounts
    company.facts["P13"] = {"share": share, "below": n_below, "moved": moved}


def _whole_quarters(company: Company) -> list[int]:
    """Number the quarters since 1970 that lie wholly between the start and the end."""
    line = company.timeline
    months = [m for m in line.months() if day_number(m.end) <= line.end]
    numbers = [((m.start.year - 1970) * 12 + m.start.month - 1) // 3 for m in months]
    return sorted({q for q in numbers if numbers.count(q) == 3})


def say_forecasts(company: Company) -> None:
    """Let each lead say at the beginning and the middle of each month what will come."""
    deals, draws, line = company["deals"], company.draws("forecasts"), company.timeline
    users = company["users"]
    won = deals[((deals.outcome == WON) & (deals["type"] != RENEWAL)).to_numpy()]
    closed = won.closed.to_numpy() // DAY
    team_of = won.team.to_numpy()
    rows = []
    for month in line.months():
        first = day_number(month.start)
        inside = (closed >= first) & (closed < first + month.days)
        for team in company.teams:
            actual = int(won.amount.to_numpy()[inside & (team_of == team)].sum())
            lead = int(users.index[(users.role == "lead") & (users.team == team)][0])
            for day in (3, 15):
                for category, share in CATEGORY_SHARES.items():
                    noise = int(lognormal(1000, 0.22)[draws.level(1)][0])
                    amount = max(actual * share // 100 * noise // 1000 // 1_000_000 * 1_000_000, 0)
                    rows.append((month.text, team, lead, category, amount, first + day - 1))
    frame = pd.DataFrame(rows, columns=["period", "team", "user", "category", "amount", "day"])
    frame["entered"] = line.at_work(draws, frame.day.to_numpy())
    company["forecasts"] = frame[frame.entered <= line.end_at].reset_index(drop=True)


def decide(company: Company) -> None:
    """Note the two changes of month 25 in the register."""
    line, users = company.timeline, company["users"]
    day = month_start(company, 25)
    rows = []
    manager = int(users.index[users.role == "manager"][0])
    if company.options.size("P17"):
        for team in real_change_teams(company):
            rows.append((f"team:{team}", "线索首次响应纳入服务水平：30 分钟内",
                         "lead_opportunity_rate", 0.10, 0.025))  # fmt: skip
    if company.options.size("P18"):
        team = company.facts["P18"]["team"]
        rows.append((f"team:{team}", "启用每周工作模板", "win_rate", WIN_BASE, 0.05))
    columns = ["scope", "note", "metric", "baseline", "expected_effect"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["owner"], frame["created"] = manager, day * DAY + 10 * 3600
    frame["due"], frame["done"] = day + 14, day + 10
    company["actions"] = frame[frame.done <= line.end].reset_index(drop=True)


WIN_BASE = 0.25


def yuan(values: Ints) -> Ints:
    """Turn yuan into cents."""
    return values * 100
