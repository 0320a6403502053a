"""Make the company, step by step, from its people to its log."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from salesops.sample import assemble, ledger, logbook
from salesops.sample.accounts import (
    assign_accounts,
    hand_over_deals,
    meet_contacts,
    own_accounts,
)
from salesops.sample.aftersales import open_tickets
from salesops.sample.callbacks import call_back
from salesops.sample.company import Company
from salesops.sample.deals import PER_MONTH, describe_deals, lay_stages, plan
from salesops.sample.draws import NONE
from salesops.sample.duplicates import duplicate_accounts
from salesops.sample.edits import bulk_edit
from salesops.sample.goals import decide, move_over_cliffs, say_forecasts, set_targets
from salesops.sample.leads import lead_touches, receive_leads, shift_source_of_customers
from salesops.sample.leavers import leave_deals_behind, make_people_leave
from salesops.sample.log import (
    History,
    account_histories,
    deal_histories,
    instalment_histories,
    lead_histories,
    sign_edits,
)
from salesops.sample.money import agree_instalments, collect, delay_acceptance, invoice, itemise
from salesops.sample.offers import quote, share_results
from salesops.sample.options import SampleOptions
from salesops.sample.people import hire, team_names
from salesops.sample.planted import (
    add_deals_of_better_leads,
    dip,
    make_poor_region_poor,
    sandbag,
    shape_deals,
)
from salesops.sample.pool import claim_and_return, leave_accounts_behind, return_to_pool
from salesops.sample.renewals import sign_and_renew
from salesops.sample.settings import settings_text
from salesops.sample.timeline import Timeline
from salesops.sample.touches import contact_of, described, touch_deals
from salesops.sample.trim import trim
from salesops.sample.truth import Truth, find_truth


@dataclass(frozen=True, eq=False)
class SampleCompany:
    """A generated company, its settings and what is true of it.

    Attributes
    ----------
    tables
        Canonical name -> rows, as they stand on the last day.
    settings_toml
        Text of its salesops.toml.
    truth
        What was planted, and all rows that meet each problem's definition.
    """

    tables: dict[str, pa.Table] = field(repr=False)
    settings_toml: str = field(repr=False)
    truth: Truth = field(repr=False)


def generate(options: SampleOptions | None = None, *, block: int = 0) -> SampleCompany:
    """Make a company whose truth is known.

    Parameters
    ----------
    options
        What to make; by default the company with all its problems.
    block
        Number of the division; divisions of one seed differ and share no id.

    Returns
    -------
    SampleCompany
        The same options give the same rows, on every machine.

    Examples
    --------
    >>> made = generate(SampleOptions(months=3, deals_per_month=10, clean=True))
    >>> made.tables["opportunities"].num_rows > 30
    True
    """
    company = _begin(options or SampleOptions(), block)
    _sell(company)
    _serve(company)
    return _tabulate(company)


def _begin(options: SampleOptions, block: int) -> Company:
    line = Timeline.of(options.end, options.months, options.season)
    teams = team_names(options.teams or 5, block)
    # Another number of teams is another size of company, at the same pace per team.
    per_month = options.deals_per_month or PER_MONTH * len(teams) // 5
    company = Company(options, line, block, teams, per_month)
    company["users"] = hire(company.draws("people"), line, teams)
    make_people_leave(company)
    company["deals"] = plan(company.draws("deals"), line, company["users"], per_month)
    add_deals_of_better_leads(company)
    make_poor_region_poor(company)
    set_targets(company)
    return company


def _sell(company: Company) -> None:
    shape_deals(company)
    leave_deals_behind(company)
    dip(company)
    hand_over_deals(company)
    sandbag(company)
    assign_accounts(company)
    describe_deals(company.draws("words"), company["deals"])
    lay_stages(company.draws("stages"), company["deals"])
    own_accounts(company)
    move_over_cliffs(company)
    shift_source_of_customers(company)
    trim(company)
    return_to_pool(company)
    claim_and_return(company)
    leave_accounts_behind(company)
    duplicate_accounts(company)


def _serve(company: Company) -> None:
    n = len(company["deals"])
    sign_and_renew(company)
    hand_over_deals(company, since=n)
    delay_acceptance(company)
    contracts = company["contracts"]
    contracts["last_owner"] = np.where(
        contracts.deal == NONE,
        contracts.last_owner,
        company["deals"].last_owner.to_numpy()[np.maximum(contracts.deal.to_numpy(), 0)],
    )
    company["lines"] = itemise(contracts)
    company["instalments"] = agree_instalments(company, contracts)
    company["receipts"] = collect(company, contracts, company["instalments"])
    company["invoices"] = invoice(company.draws("invoices"), company["instalments"])
    meet_contacts(company)
    receive_leads(company)
    quote(company)
    share_results(company)
    open_tickets(company)
    say_forecasts(company)
    decide(company)


def _tabulate(company: Company) -> SampleCompany:
    people, company["users"]["position"] = assemble.users(company)
    deals = sign_edits(company, bulk_edit(company, deal_histories(company)))
    accounts, leads = account_histories(company), lead_histories(company)
    dues = instalment_histories(company)
    company["activities"] = _activities(company, deals[0])
    tables = {
        "accounts": assemble.accounts(company, accounts[0]),
        "contacts": assemble.contacts(company),
        "users": people,
        "leads": assemble.leads(company, leads[0]),
        "opportunities": assemble.opportunities(company, {h.field: h for h in deals}),
        "activities": assemble.activities(company),
        **ledger.offers(company),
        **ledger.contracts(company),
        "instalments": ledger.instalments(company, dues[0]),
        "tickets": ledger.tickets(company),
        **ledger.plans(company),
    }
    told = [*deals, *accounts, *leads, *dues]
    tables["changes"] = logbook.changes(company, told, _births(company, deals[0], leads[0]))
    tables["tracked"] = logbook.tracked(company, told)
    return SampleCompany(tables, settings_text(company.options), find_truth(company, tables, deals))


def _births(
    company: Company, owners: History, leads: History
) -> list[tuple[str, "np.ndarray", "np.ndarray"]]:
    deals = company["deals"]
    return [
        ("opportunities", deals.created.to_numpy(), deals.owner.to_numpy()),
        ("leads", company["leads"].created.to_numpy(), np.full(len(company["leads"]), NONE)),
    ]


def _activities(company: Company, owners: History) -> pd.DataFrame:
    draws, end = company.draws("activities"), company.timeline.end_at
    touches = touch_deals(company, owners)
    deals = described(draws, touches.assign(lead=NONE))
    calls = described(draws, lead_touches(company).assign(deal=NONE), outbound=True)
    whole = pd.concat([deals, calls], ignore_index=True)
    of = whole.deal.to_numpy()
    account = company["deals"].account.to_numpy()[np.maximum(of, 0)]
    whole["account"] = np.where(of == NONE, NONE, account)
    whole["contact"] = NONE
    rows = np.flatnonzero(of != NONE)
    contact = whole.contact.to_numpy().copy()
    contact[rows] = contact_of(company, draws, account[rows], whole["at"].to_numpy()[rows])
    whole["contact"] = contact
    whole = whole.sort_values(["at", "deal", "lead"], kind="stable")
    whole = pd.concat([whole, call_back(company)], ignore_index=True)
    return whole[(whole.logged <= end).to_numpy()].reset_index(drop=True)
