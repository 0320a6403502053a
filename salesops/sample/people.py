"""The people of the company: seats, who sat in them and when, and who helps them.

A seat of a quota rep is taken by one person after another: people leave, mostly in the first
quarter after the bonus is paid, the seat stays empty for some weeks, the next person ramps up.
"""

import datetime as dt

import numpy as np
import pandas as pd

from salesops.sample import names
from salesops.sample.draws import NONE, Draws, Flags, Ints, normal_scores
from salesops.sample.timeline import Timeline, date_of, day_number

TEAMS = ("华东/一组", "华东/二组", "华南/一组", "华北/一组", "西南/一组")
SEATS = (7, 6, 6, 6, 5)
NUMERALS = "一二三四五六七八九十"
# A seat-year ends with a chance that gives 28 % attrition over the time in which seats are taken.
ATTRITION = 0.276
# Who has just come does not leave in the first quarter, so the rest leaves a little more in it.
EXIT_QUARTERS = (47, 19, 16, 18)
# How many new deals a new rep gets in each month since hiring, as per cent of a seasoned one. A
# newcomer is given what the predecessor's territory brings, more than a seasoned rep in the first
# months; since deals close months later, signings ramp 0, 15, 35, 60, 80, 100 %.
RAMP_INTAKE = (30, 100, 125, 120, 105, 100)
TALENT_SPREAD = 0.45
SUPPORT = {
    "sdr": 4, "presales": 6, "cs": 3, "legal": 2, "finance": 2, "ops": 2, "marketing": 2,
    "delivery": 4,
}  # fmt: skip
DEPARTMENTS = {
    "sdr": "市场部/线索组", "presales": "售前部", "cs": "客户成功部", "legal": "法务部",
    "finance": "财务部", "ops": "销售运营部", "marketing": "市场部", "delivery": "交付部",
}  # fmt: skip


def team_names(n: int, block: int = 0) -> tuple[str, ...]:
    """Name so many teams: the five of the company first, then further groups of each region.

    Divisions go on counting where the one before ends, so that no two teams share a name.
    """
    found = list(TEAMS[:n]) if not block else []
    group = 3 if not block else (block - 1) * -(-n // len(names.CITIES)) + 1
    while len(found) < n:
        found += [f"{region}/{_numeral(group)}组" for region in names.CITIES]
        group += 1
    return tuple(found[:n])


def seats_of(teams: tuple[str, ...]) -> list[int]:
    """Give the number of quota seats of each team."""
    return [SEATS[position % len(SEATS)] for position in range(len(teams))]


def _numeral(number: int) -> str:
    return NUMERALS[number - 1] if number <= 10 else str(number)


def hire(draws: Draws, timeline: Timeline, teams: tuple[str, ...]) -> pd.DataFrame:
    """Fill the company with people.

    Returns
    -------
    pandas.DataFrame
        One row per person: `name, team, region, role, manager` (position), `hired, left` (days),
        `seat` (position of the quota seat or -1) and `talent` (per cent of an average rep).
    """
    rows: list[dict[str, object]] = [{"role": "manager", "team": "", "manager": NONE}]
    leads = {}
    for team in teams:
        leads[team] = len(rows)
        rows.append({"role": "lead", "team": team, "manager": 0})
    seat = 0
    for team, seats in zip(teams, seats_of(teams), strict=True):
        for _ in range(seats):
            rows += _occupants(draws, timeline, team, seat, leads[team])
            seat += 1
    for role, n in SUPPORT.items():
        rows += [{"role": role, "team": DEPARTMENTS[role], "manager": 0} for _ in range(n)]
    rows.append({"role": "pool", "team": "", "manager": NONE})
    return _described(draws, pd.DataFrame(rows), timeline)


def _occupants(
    draws: Draws, timeline: Timeline, team: str, seat: int, lead: int
) -> list[dict[str, object]]:
    """Who sat in one seat, one after the other."""
    hired = timeline.first - int(draws.whole(200, 2000, 1)[0])
    found = []
    for year in range(date_of(timeline.first).year, date_of(timeline.last).year + 1):
        left = _exit_day(draws, timeline, year)
        if left is None or left < hired + 60:
            continue
        found.append(_rep(team, seat, lead, hired, left))
        empty = int(draws.whole(20, 70, 1)[0])
        hired = int(timeline.work_day(timeline.work_index(np.array([left + empty])))[0])
    return [*found, _rep(team, seat, lead, hired, NONE)]


def _rep(team: str, seat: int, lead: int, hired: int, left: int) -> dict[str, object]:
    return {
        "role": "rep",
        "team": team,
        "seat": seat,
        "manager": lead,
        "hired": hired,
        "left": left,
    }


def _exit_day(draws: Draws, timeline: Timeline, year: int) -> int | None:
    quarter = int(draws.pick(EXIT_QUARTERS, 1)[0])
    # Bonuses are paid with January's salary: few leave before.
    into = int(draws.whole(40 if quarter == 0 else 3, 88, 1)[0])
    first = day_number(dt.date(year, 3 * quarter + 1, 1))
    leaves = bool(draws.chance(ATTRITION, 1)[0])
    day = timeline.work_day(timeline.work_index(np.array([first + into])))
    return int(day[0]) if leaves else None


def _described(draws: Draws, users: pd.DataFrame, timeline: Timeline) -> pd.DataFrame:
    n = len(users)
    users["name"] = names.people(draws, n)
    users.loc[users.role == "pool", "name"] = "公海"
    users["region"] = [team.split("/")[0] if team in _paths(users) else "" for team in users.team]
    talent = 100 * (1 + TALENT_SPREAD * normal_scores()[draws.level(n)])
    users["talent"] = np.clip(np.rint(talent), 20, 220).astype(np.int64)
    users["seat"] = users.seat.fillna(-1).astype(np.int64)
    earlier = timeline.first - draws.whole(300, 2500, n)
    users["hired"] = np.where(users.hired.isna(), earlier, users.hired.fillna(0)).astype(np.int64)
    users["left"] = users.left.fillna(NONE).astype(np.int64)
    return users


def _paths(users: pd.DataFrame) -> set[str]:
    return set(users.team[users.role == "rep"])


def employed(users: pd.DataFrame, who: Ints, days: Ints) -> Flags:
    """Say whether each person works here on the day."""
    hired, left = users.hired.to_numpy()[who], users.left.to_numpy()[who]
    return (hired <= days) & ((left == NONE) | (days < left))


def intake(users: pd.DataFrame, who: Ints, days: Ints) -> Ints:
    """Weigh each person's share of the new deals on a day: presence, ramp and talent."""
    months = np.clip((days - users.hired.to_numpy()[who]) // 30, 0, len(RAMP_INTAKE) - 1)
    weight = np.array(RAMP_INTAKE, np.int64)[months] * users.talent.to_numpy()[who]
    return np.where(employed(users, who, days), weight, 0)


def choose_rep(
    draws: Draws, users: pd.DataFrame, teams: "np.ndarray", days: Ints, fair: bool = False
) -> Ints:
    """Choose a rep of each team who works on the day, by intake; `fair` ignores talent and ramp."""
    chosen = np.full(len(days), NONE)
    drawn = draws.whole(0, 2**40, len(days))
    for team in pd.unique(teams):
        here = np.flatnonzero(teams == team)
        reps = np.flatnonzero((users.role == "rep") & (users.team == team))
        grid = np.stack([_weight(users, rep, days[here], fair) for rep in reps.tolist()])
        ends = np.cumsum(grid, axis=0)
        at = drawn[here] % np.maximum(ends[-1], 1)
        chosen[here] = reps[np.minimum((ends <= at).sum(axis=0), len(reps) - 1)]
    return chosen


def _weight(users: pd.DataFrame, rep: int, days: Ints, fair: bool) -> Ints:
    who = np.full(len(days), rep)
    return employed(users, who, days).astype(np.int64) if fair else intake(users, who, days)
