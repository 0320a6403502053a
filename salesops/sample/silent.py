"""Deals that nobody speaks about: silent for weeks, or dead and still open."""

import datetime as dt

import numpy as np

from salesops.sample.company import Company
from salesops.sample.deals import LOST
from salesops.sample.draws import NONE, Draws, Flags, Ints
from salesops.sample.options import scaled_share
from salesops.sample.timeline import DAY, date_of, day_number

ZOMBIES, ZOMBIE_VALUE, ZOMBIE_FLOOR = 0.05, 0.20, 250_000 * 100
# Days without a word before a deal ends; after three norms, about so many days, it counts. Deals
# that are silent on the last day have been so for so many. A little is silent in a clean company.
SILENT_VALUE, SILENCE, SILENT_FROM, SILENT_NOW = 0.18, (50, 84), 23, (32, 66)
NATURALLY_SILENT = 0.004


def leave_for_dead(company: Company) -> None:
    """P12: deals that are long dead stay open until somebody clears them out in January."""
    share = scaled_share(0.0, ZOMBIES, company.options.size("P12"))
    draws, deals, line = company.draws("P12"), company["deals"], company.timeline
    fit = ((deals.outcome == LOST) & (deals.amount >= ZOMBIE_FLOOR)).to_numpy()
    closed = deals.closed.to_numpy().copy()
    cleared = _clearings(company, closed) + draws.whole(14 * 3600, 15 * 3600, len(deals))
    # The share is of the deals that the CRM knows; the dead ones stay in it longer.
    begun = (deals.created <= line.end_at).to_numpy()
    known = int((begun & (closed >= line.start * DAY)).sum())
    able = fit & begun & (cleared >= line.start * DAY)
    inside = np.flatnonzero(able)
    marked = fit & ~able & draws.chance(min(share * known / max(len(inside), 1), 0.9), len(deals))
    marked[inside[draws.order(len(inside))][: round(share * known)]] = True
    chosen = np.flatnonzero(_with_their_value(company, marked, fit))
    silent = deals.silent_from.to_numpy().copy()
    silent[chosen] = closed[chosen]
    closed[chosen] = cleared[chosen]
    deals["closed"], deals["silent_from"] = closed, silent
    deals.loc[chosen, ["zombie", "settled"]] = True
    company.facts["P12"] = {"planted_share": share}


def _with_their_value(company: Company, marked: Flags, fit: Flags) -> Flags:
    """Exchange zombies of the last months for larger or smaller ones until their value is met."""
    deals, end = company["deals"], company.timeline.end_at
    share = scaled_share(0.0, ZOMBIE_VALUE, company.options.size("P12"))
    created, closed = deals.created.to_numpy(), deals.closed.to_numpy()
    amount = deals.amount.to_numpy()
    first = day_number(dt.date(date_of(company.timeline.end).year, 1, 1)) * DAY
    dead = fit & (closed >= first) & (closed <= end - (SILENT_FROM - 4) * DAY)
    others = amount[(created <= end) & (closed > end)].sum()
    # Who died in the last weeks is not seen to be dead yet, but is open as well.
    others += amount[
        marked & fit & (closed > end - (SILENT_FROM - 4) * DAY) & (closed <= end)
    ].sum()
    wanted = int(others * share / (1 - share))
    marked = exchanged(marked, dead, amount, wanted)
    missing = wanted - int(amount[dead & marked].sum())
    if missing > wanted // 10:
        # A multiple that so few dead deals can't hold needs more of them.
        more = np.flatnonzero(dead & ~marked)
        marked[fill(more, amount[more], missing)] = True
    return marked


def exchanged(marked: Flags, pool: Flags, amount: Ints, wanted: int) -> Flags:
    """Exchange marked deals of a pool for larger or smaller ones until their value is met."""
    marked = marked.copy()
    for _ in range(400):
        missing = wanted - int(amount[pool & marked].sum())
        inside, outside = np.flatnonzero(pool & marked), np.flatnonzero(pool & ~marked)
        if abs(missing) < wanted // 100 or not len(inside) or not len(outside):
            break
        order = inside[np.argsort(amount[inside], kind="stable")]
        leaves = order[0] if missing > 0 else order[-1]
        near = np.abs(amount[outside] - amount[leaves] - missing)
        comes = outside[int(near.argmin())]
        if abs(missing - (amount[comes] - amount[leaves])) >= abs(missing):
            break
        marked[leaves], marked[comes] = False, True
    return marked


def _clearings(company: Company, closed: Ints) -> Ints:
    """Give for each end the first second of the day in the next January on which dead deals go."""
    years = closed // DAY
    years = years.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1971
    known = np.unique(years)
    days = np.array([_clearing_day(company, int(year)) for year in known], dtype=np.int64)
    return days[np.searchsorted(known, years)] * DAY


def _clearing_day(company: Company, year: int) -> int:
    line = company.timeline
    first = day_number(dt.date(year, 1, 8))
    return int(line.work_day(line.work_index(np.array([first])))[0])


def fall_silent(company: Company) -> None:
    """P4: nobody speaks with the customer for longer than three touch norms."""
    multiple, draws = company.options.size("P4"), company.draws("P4")
    deals = company["deals"]
    share = scaled_share(NATURALLY_SILENT, SILENT_VALUE, multiple) - NATURALLY_SILENT
    life = (deals.closed - deals.created).to_numpy() // DAY
    silence = np.minimum(draws.whole(*SILENCE, len(deals)), life * 3 // 4)
    fit = (silence > SILENT_FROM) & ~deals.zombie.to_numpy()
    # On any day a silent deal is met in proportion to how long it has counted as silent.
    amount = deals.amount.to_numpy() // 10_000
    counted = np.where(fit, amount * (silence - SILENT_FROM), 0).sum()
    met = share * (amount * life).sum() / max(counted, 1)
    marked = fit & draws.chance(min(met, 0.95), len(deals))
    begin = deals.closed.to_numpy() - silence * DAY
    now = _silent_at_the_end(company, draws, share)
    is_open = ((deals.created <= company.timeline.end_at) & (
        deals.closed > company.timeline.end_at)).to_numpy()  # fmt: skip
    marked = (marked & ~(is_open & (begin <= company.timeline.end_at))) | (now != NONE)
    begin = np.where(now != NONE, now, begin)
    chosen = np.flatnonzero(marked)
    silent = deals.silent_from.to_numpy().copy()
    silent[chosen] = begin[chosen]
    deals["silent_from"] = silent
    deals["settled"] |= now != NONE
    company.facts["P4"] = {"planted_share": share}


def _silent_at_the_end(company: Company, draws: Draws, share: float) -> Ints:
    """Choose deals that are silent on the last day, until they hold the share of open value."""
    deals, end = company["deals"], company.timeline.end_at
    is_open = ((deals.created <= end) & (deals.closed > end)).to_numpy()
    age = (end - deals.created.to_numpy()) // DAY
    so_far = np.minimum(draws.whole(*SILENT_NOW, len(deals)), age * 3 // 4)
    fit = is_open & (so_far >= SILENT_NOW[0]) & ~deals.zombie.to_numpy()
    rows = np.flatnonzero(fit)
    rows = rows[draws.order(len(rows))]
    amount = deals.amount.to_numpy()
    chosen = fill(rows, amount[rows], int(amount[is_open].sum() * share))
    begin = np.full(len(deals), NONE)
    begin[chosen] = end - so_far[chosen] * DAY
    return begin


def fill(rows: Ints, amount: Ints, wanted: int) -> list[int]:
    """Take rows in order as long as they fit into the sum; one more fills most of the rest."""
    chosen, spare, total = [], [], 0
    for row, value in zip(rows.tolist(), amount.tolist(), strict=True):
        if total + value <= wanted:
            chosen.append(row)
            total += value
        else:
            spare.append((value, row))
    fits = [pair for pair in spare if pair[0] <= wanted - total]
    return [*chosen, max(fits)[1]] if fits else chosen
