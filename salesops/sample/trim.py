"""Keep what the CRM holds: it was introduced at the start, with the deals that were open then."""

import numpy as np

from salesops.sample.company import Company
from salesops.sample.deals import WON
from salesops.sample.draws import NONE, Ints
from salesops.sample.timeline import DAY

# Of the contracts that were signed before the CRM came those are in it that were still being
# delivered: signed within so many days.
OLD_CONTRACT_DAYS = 60


def trim(company: Company) -> None:
    """Drop deals that ended before the start or begin after the end, and accounts without a deal.

    Deals that were won shortly before the start stay as frame `old_deals`: their contracts are
    in the ledger, the deals themselves were never in the CRM.
    """
    deals, line = company["deals"], company.timeline
    start = line.start * DAY
    begun, live = deals.created <= line.end_at, deals.closed >= start
    recent = (deals.closed >= start - OLD_CONTRACT_DAYS * DAY) & (deals.outcome == WON)
    kept, old = (begun & live).to_numpy(), (begun & ~live & recent).to_numpy()
    _remember_customers(company)
    new_account = _renumber(company, deals.account.to_numpy()[kept | old])
    for name, mask in (("old_deals", old), ("deals", kept)):
        frame = deals[mask].reset_index(drop=True)
        frame["account"] = new_account[frame.account.to_numpy()]
        company[name] = frame
    position = np.where(kept, np.cumsum(kept) - 1, NONE)
    moves = company["handovers"]
    moves = moves[kept[moves.deal.to_numpy()]].reset_index(drop=True)
    moves["deal"] = position[moves.deal.to_numpy()]
    company["handovers"] = moves.sort_values(["deal", "at"], kind="stable", ignore_index=True)


def _remember_customers(company: Company) -> None:
    """Note since when an account has bought, where that was before the CRM came."""
    deals, n = company["deals"], len(company["accounts"])
    old = deals[(deals.outcome == WON) & (deals.closed < company.timeline.start * DAY)]
    first = (old.closed // DAY).groupby(old.account).min()
    company["accounts"]["bought"] = first.reindex(np.arange(n), fill_value=NONE).to_numpy()


def _renumber(company: Company, used: Ints) -> Ints:
    accounts = company["accounts"]
    kept = np.zeros(len(accounts), bool)
    kept[used] = True
    position = np.where(kept, np.cumsum(kept) - 1, NONE)
    company["accounts"] = accounts[kept].reset_index(drop=True)
    spells = company["account_owners"]
    spells = spells[kept[spells.account.to_numpy()]].reset_index(drop=True)
    spells["account"] = position[spells.account.to_numpy()]
    company["account_owners"] = spells
    return position
