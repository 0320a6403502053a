"""Renewals: what recurs is renewed, cut, raised or let go when its term ends."""

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.deals import ENTERED, LOST, RENEWAL, SOURCES, WON
from salesops.sample.draws import NONE, Ints
from salesops.sample.money import (
    RENEWAL_OF_MAINTENANCE,
    SERVICE,
    SUBSCRIPTION,
    sign,
)
from salesops.sample.people import choose_rep
from salesops.sample.timeline import DAY

# Larger contracts are renewed more often: 74 % by count, 82 % by value.
RENEWED_BELOW, RENEWED_ABOVE, LARGE_TERM = 0.69, 0.84, 60_000 * 100
MAINTENANCE_SHARE = 12
ROUNDS = 6


def sign_and_renew(company: Company) -> None:
    """Sign the won deals and let what recurs be renewed: frames `contracts` and more `deals`.

    Contracts carry `deal` (position or none for deals that ended before the CRM came) and
    `renewed_by` (position of the contract that renews it, or none).
    """
    deals, old = company["deals"], company["old_deals"]
    won = np.flatnonzero((deals.outcome == WON).to_numpy())
    wins = pd.concat([old.assign(deal=NONE), deals.iloc[won].assign(deal=won)], ignore_index=True)
    signed = sign(company, wins)
    signed["renewed_by"] = NONE
    rounds, more = [signed], []
    n_deals, n_contracts = len(deals), len(signed)
    for number in range(ROUNDS):
        term = rounds[-1]
        renewals = _renewals(company, term, number)
        renewals["deal"] = np.arange(n_deals, n_deals + len(renewals))
        n_deals += len(renewals)
        more.append(renewals)
        follow = renewals[(renewals.outcome == WON).to_numpy()]
        contracts = sign(company, follow, f"contracts {number}")
        # The term of a renewal begins where the old one ends.
        contracts["starts"] = follow.old_end.to_numpy() + 1
        contracts["ends"] = contracts.starts + 364
        contracts["renewed_by"] = NONE
        next_one = np.full(len(term), NONE)
        next_one[follow.of.to_numpy()] = np.arange(n_contracts, n_contracts + len(contracts))
        term["renewed_by"] = next_one
        n_contracts += len(contracts)
        rounds.append(contracts)
    company["contracts"] = pd.concat(rounds, ignore_index=True)
    company["deals"] = pd.concat([deals, *more], ignore_index=True)[deals.columns]


def _renewals(company: Company, term: pd.DataFrame, number: int) -> pd.DataFrame:
    """Open a renewal for every contract of one round that recurs and was not cancelled."""
    draws, line = company.draws(f"renewals {number}"), company.timeline
    recurs = (term.ends != NONE) & (term.cancelled == NONE) & (term["product"] != SERVICE)
    # What ended long before the start was renewed before the CRM came.
    recurs &= (term.ends >= line.start + 20) & (term.ends <= line.last - 200)
    of = np.flatnonzero(recurs.to_numpy())
    rows, n = term.iloc[of], len(of)
    product = rows["product"].to_numpy()
    is_term = (product == SUBSCRIPTION) | (product == RENEWAL_OF_MAINTENANCE)
    before = np.where(is_term, rows.amount, rows.amount * MAINTENANCE_SHARE // 100)
    # What is raised makes up for what is let go: net retention is near 100 %.
    grown = draws.pick([8, 40, 52], n)
    factor = np.where(grown == 0, draws.whole(55, 95, n), np.where(grown == 1, 100, 0))
    factor = np.where(grown == 2, draws.whole(103, 183, n), factor)
    amount = np.maximum(before * factor // 100 // 10_000, 10) * 10_000
    chance = np.where(before >= LARGE_TERM, RENEWED_ABOVE, RENEWED_BELOW)
    outcome = np.where(draws.chance(chance, n), WON, LOST)
    end = rows.ends.to_numpy()
    created = line.at_work(draws, end - draws.whole(45, 110, n))
    closed = line.at_work(draws, np.maximum(end - draws.whole(-25, 35, n), created // DAY + 5))
    team = rows.team.to_numpy()
    first = created + draws.whole(1, 30, n) * 3600
    life = closed - created
    found = pd.DataFrame(
        {
            "created": created, "closed": closed, "outcome": outcome, "amount": amount,
            "source": SOURCES.index("existing"), "source_word": 6,
            "product": np.where(product == SUBSCRIPTION, SUBSCRIPTION, RENEWAL_OF_MAINTENANCE),
            "team": team, "account": rows.account.to_numpy(), "type": RENEWAL, "push_step": 0,
            "owner": choose_rep(draws, company["users"], team, created // DAY, fair=True),
            "competitor": NONE, "exit_stage": 3, "silent_from": NONE, "slow_legal": 0,
            "lost_reason": np.where(outcome == LOST, draws.whole(0, 6, n), NONE),
            "of": of, "old_end": end,
        }
    )  # fmt: skip
    for column in ("zombie", "skips_needs", "sandbagged", "left_behind", "settled"):
        found[column] = False
    _enter_stages(found, first, life)
    found["last_owner"] = found.owner
    return found


def _enter_stages(found: pd.DataFrame, first: Ints, life: Ints) -> None:
    """Lead renewals through all stages but legal review: old terms are only confirmed."""
    created = found.created.to_numpy()
    begins = {"acquisition": created, "needs": np.minimum(first, created + life // 4)}
    begins |= {"proposal": created + life * 2 // 5, "negotiation": created + life * 7 // 10}
    for column in ENTERED:
        stage = column.removeprefix("entered_")
        found[column] = begins[stage] // 60 * 60 if stage in begins else NONE
