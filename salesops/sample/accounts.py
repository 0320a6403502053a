"""Customers and prospects, who looks after them, and the people one talks to there."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from salesops.sample import names
from salesops.sample.company import Company
from salesops.sample.deals import SOURCES, WON
from salesops.sample.draws import NONE, Draws, Ints, lognormal
from salesops.sample.people import choose_rep
from salesops.sample.timeline import DAY

# Of the deals that do not come from customers, so many are a second try at a prospect that was
# tried within so many days and did not buy.
SECOND_TRY, TRIED_WITHIN = 0.28, 720
# Customers buy more within so many days of having bought.
BUYS_WITHIN = 365
SEGMENTS = ("小型", "中型", "大型")
SEGMENT_POTENTIAL = (250_000, 700_000, 2_000_000)
# State-owned plants, and hospitals, which a quarter of them are; they pay late.
STATE_OWNED, HOSPITALS = 0.12, 0.25


def assign_accounts(company: Company) -> None:
    """Give every deal its account and make the accounts."""
    deals, draws = company["deals"], company.draws("accounts")
    first_deal = _first_deals(draws, deals)
    owners = np.unique(first_deal)
    deals["account"] = np.searchsorted(owners, first_deal)
    firsts = deals.iloc[owners].reset_index(drop=True)
    company["accounts"] = _described(draws, firsts, company.facts["P2"])


def _first_deals(draws: Draws, deals: pd.DataFrame) -> Ints:
    """For each deal the position of the deal with which its account began."""
    n = len(deals)
    created, closed = deals.created.to_numpy(), deals.closed.to_numpy()
    existing = (deals.source == SOURCES.index("existing")).to_numpy()
    again = draws.chance(SECOND_TRY, n) & ~existing
    chosen = draws.whole(0, 2**40, n)
    first = np.arange(n)
    team_codes = pd.factorize(deals.team)[0]
    for team in range(team_codes.max() + 1):
        here = np.flatnonzero(team_codes == team)
        fresh = here[~existing[here] & ~again[here]]
        is_won = deals.outcome.to_numpy()[fresh] == WON
        won, tried = fresh[is_won], fresh[~is_won]
        won = won[np.argsort(closed[won], kind="stable")]
        tried = tried[np.argsort(created[tried], kind="stable")]
        pools = (
            (existing, won, closed[won], BUYS_WITHIN), (again, tried, created[tried], TRIED_WITHIN)
        )  # fmt: skip
        for wanted, pool, known, within in pools:
            rows = here[wanted[here]]
            earlier = np.searchsorted(known, created[rows])
            oldest = np.searchsorted(known, created[rows] - within * DAY)
            found = earlier > oldest
            some = oldest + chosen[rows] % np.maximum(earlier - oldest, 1)
            first[rows[found]] = pool[some[found]]
    return first


def _described(draws: Draws, firsts: pd.DataFrame, poor: Mapping[str, Any]) -> pd.DataFrame:
    """Describe each account, begun with its first deal."""
    n = len(firsts)
    region = np.array([team.split("/")[0] for team in firsts.team], dtype=object)
    city = names.cities(draws, region)
    industry = draws.pick(names.INDUSTRY_WEIGHTS, n)
    state_owned = draws.chance(STATE_OWNED, n)
    is_hospital = state_owned & draws.chance(HOSPITALS, n)
    trade = np.where(is_hospital, names.HOSPITAL, names.texts(names.INDUSTRIES)[industry])
    public = names.public_bodies(draws, city, trade)
    # What a poor region can buy is less, not how many of its customers are large.
    ratio = np.where(region == poor["region"], float(poor["potential_ratio"]), 1.0)
    guessed = np.rint(firsts.amount.to_numpy() / ratio).astype(np.int64)
    size = np.searchsorted([12_000_000, 45_000_000], guessed + draws.whole(0, 8_000_000, n))
    spread = lognormal(1000, 0.5)[draws.level(n)]
    potential = np.array(SEGMENT_POTENTIAL)[size] * spread // 1000
    potential = np.rint(potential * ratio).astype(np.int64) // 1000 * 1000 * 100
    return pd.DataFrame(
        {
            "name": _distinct(
                draws,
                np.where(state_owned, public, names.companies(draws, city, industry)),
                city,
                industry,
            ),
            "city": city,
            "industry": trade,
            "segment": names.texts(SEGMENTS)[size],
            "region": region,
            "team": firsts.team.to_numpy(),
            "parent_account": np.full(n, NONE),
            "tax": _tax_ids(draws, n),
            "phone": names.phones(draws, n),
            "potential": potential,
            "state_owned": state_owned,
            "created": firsts.created.to_numpy() - draws.whole(60, 6 * 3600, n),
        }
    )


def _distinct(draws: Draws, name: "np.ndarray", city: "np.ndarray", industry: Ints) -> "np.ndarray":
    """Name anew whoever bears the name of another: no two companies of a city may."""
    for _ in range(20):
        again = np.flatnonzero(pd.Series(name).duplicated().to_numpy())
        if not len(again):
            break
        name = name.copy()
        name[again] = names.companies(draws, city[again], industry[again])
    return name


def _tax_ids(draws: Draws, n: int) -> "np.ndarray":
    """Number the accounts in the form of a tax id; the leading digits belong to no district."""
    return names.texts([f"9199{number:014d}" for number in draws.whole(0, 10**14 - 1, n)])


def hand_over_deals(company: Company, since: int = 0) -> None:
    """Pass the open deals of people who leave to colleagues: frame `handovers`.

    Deals before the position `since` were looked after already.
    """
    deals, users = company["deals"], company["users"]
    draws = company.draws(f"handovers {since}")
    owner = deals.owner.to_numpy().copy()
    parts = []
    for _ in range(4):
        left = users.left.to_numpy()[owner]
        goes = (left != NONE) & (left * DAY < deals.closed.to_numpy())
        moved = since + np.flatnonzero(goes[since:])
        days = left[moved]
        heir = choose_rep(draws, users, deals.team.to_numpy()[moved], days + 1, fair=True)
        at = days * DAY + draws.whole(9 * 3600, 12 * 3600, len(moved))
        # Created on the last day of the owner: handed over a little later.
        at = np.maximum(at, deals.created.to_numpy()[moved] + 3600)
        at = np.minimum(at, deals.closed.to_numpy()[moved] - 7200)
        parts.append(pd.DataFrame({"deal": moved, "at": at, "old": owner[moved], "new": heir}))
        owner[moved] = heir
    earlier = [company["handovers"]] if since else []
    moves = pd.concat([*earlier, *parts], ignore_index=True)
    company["handovers"] = moves.sort_values(["deal", "at"], kind="stable", ignore_index=True)
    last = (
        owner if not since else np.concatenate([deals.last_owner.to_numpy()[:since], owner[since:]])
    )
    deals["last_owner"] = last


def own_accounts(company: Company) -> None:
    """Lay out who looked after each account when: frame `account_owners`."""
    deals, users = company["deals"], company["users"]
    moves = company["handovers"]
    begun = pd.DataFrame({"account": deals.account, "at": deals.created, "new": deals.owner})
    passed = pd.DataFrame(
        {"account": deals.account.to_numpy()[moves.deal], "at": moves["at"], "new": moves.new}
    )
    spells = spells_in_order(pd.concat([begun, passed], ignore_index=True))
    draws = company.draws("account owners")
    # Seats change hands a few times while they have an account.
    for _ in range(12):
        until = spells.groupby("account")["at"].shift(-1, fill_value=2**62).to_numpy()
        left = users.left.to_numpy()[spells.new]
        gone = (left != NONE) & (left * DAY + DAY < until)
        rows = spells[gone & (spells["at"] <= company.timeline.end_at).to_numpy()]
        if not len(rows):
            break
        days = users.left.to_numpy()[rows.new]
        team = company["accounts"].team.to_numpy()[rows.account]
        at = np.maximum(days * DAY + draws.whole(9 * 3600, 12 * 3600, len(rows)), rows["at"] + 60)
        heir = choose_rep(draws, users, team, days + 1, fair=True)
        more = pd.DataFrame({"account": rows.account, "at": at, "new": heir})
        spells = spells_in_order(pd.concat([spells, more], ignore_index=True))
    company["account_owners"] = spells


def spells_in_order(spells: pd.DataFrame) -> pd.DataFrame:
    """Put spells of ownership in order, without moves from a person to the same."""
    spells = spells.sort_values(["account", "at"], kind="stable").reset_index(drop=True)
    same = (spells.account == spells.account.shift()) & (spells.new == spells.new.shift())
    return spells[~same].reset_index(drop=True)


def meet_contacts(company: Company) -> None:
    """Make one to four people at each account."""
    accounts, draws = company["accounts"], company.draws("contacts")
    each = draws.pick([45, 32, 16, 7], len(accounts)) + 1
    account = np.repeat(np.arange(len(accounts)), each)
    n = len(account)
    title = draws.whole(0, len(names.TITLES) - 1, n)
    later = draws.whole(0, 60, n) * DAY
    is_first = np.concatenate([[True], account[1:] != account[:-1]])
    company["contacts"] = pd.DataFrame(
        {
            "account": account,
            "name": names.people(draws, n),
            "title": names.texts(names.TITLES)[title],
            "decision_role": names.texts(names.DECISION_ROLES)[title],
            "phone": names.phones(draws, n),
            "created": accounts.created.to_numpy()[account] + np.where(is_first, 0, later),
        }
    )
