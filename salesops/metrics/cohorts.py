"""What became of leads: the accounts behind them, which of them signed, and how soon.

Signed means a signed contract where the company keeps contracts, else a won deal; the two are
never mixed. Everything is as known at the book's date.
"""

import datetime as dt
from typing import TypeAlias

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.metrics.clock import with_day_numbers
from salesops.metrics.kept import kept_table
from salesops.metrics.signed import has_contracts, signed
from salesops.model.calendar import Period

Table: TypeAlias = ibis.Table
_DAY = 86_400
# Full-width forms of what occurs in company names, and their plain ones.
_WIDE = "".join(chr(c) for c in range(0xFF01, 0xFF5F)) + "\u3000"
_PLAIN = "".join(chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)) + " "
_MARKS = r"[\s.,;:()&·'\"_/-]+"
_LEGAL = (
    r"(股份有限公司|有限责任公司|有限公司|公司|coltd|limited|ltd|incorporated|inc|llc|gmbh|corp)$"
)


def normal_name(name: ibis.Value) -> ibis.Value:
    """Write a company's name without width, case, blanks, marks and legal form; null if empty."""
    plain = name.translate(_WIDE, _PLAIN).lower().re_replace(_MARKS, "")
    return plain.re_replace(_LEGAL, "").nullif("")


def day_number(day: ibis.Value) -> ibis.Value:
    """Number a date, so that two of them can be subtracted on every engine."""
    return day.cast("timestamp").epoch_seconds().cast("int64") // _DAY


def signings(book: Book) -> Table:
    """Give what was signed up to the book's date, renewals apart, to be put beside leads.

    Returns
    -------
    ibis.Table
        One row per signing, cancellation and cut, in scope: `account_id`, `opportunity_id`,
        `signed_on`, `is_signing` (else it takes money off) and `cents`; see `metrics.signed`.
    """
    ever = Period(dt.date(1900, 1, 1), book.date, "")
    rows = signed(book, ever)
    deals = book.opportunities.select(deal_id="id", deal_account="account_id")
    rows = rows.left_join(deals, rows.opportunity_id == deals.deal_id)
    return rows.select(
        "opportunity_id", "cents", signed_on="booked_on",
        account_id=ibis.coalesce(rows.account_id, rows.deal_account),
        is_signing=rows.event == "signed",
    )  # fmt: skip


def keyed_leads(book: Book) -> Table:
    """Give the dated leads with `account`, the company that each of them stands for.

    That is its account, else that of its deal, else the account or lead of the same name, else
    the name, else the lead by itself. Beside it `team` and `region` of the owner and `day`, the
    number of the company's day of creation; see `day_number`.
    """
    leads = _named_leads(book)
    accounts = book.accounts.mutate(name_=normal_name(_.name)).filter(_.name_.notnull())
    named = accounts.group_by(by_name="name_").agg(named_=_.id.min())
    leads = leads.left_join(named, leads.name_ == named.by_name)
    others = ibis.window(group_by="name_")
    other = ibis.ifelse(leads.name_.notnull(), leads.own_.min().over(others), ibis.null(str))
    found = ibis.coalesce(leads.own_, leads.named_, other)
    prefix = ibis.literal
    account = ibis.coalesce(
        prefix("account:").concat(found), prefix("name:").concat(leads.name_),
        prefix("lead:").concat(leads.id),
    )  # fmt: skip
    leads = leads.mutate(account=account, account_known=found)
    leads = leads.drop("own_", "named_", "name_", "by_name")
    return with_day_numbers(book, leads, {"day": "created_at"})


def _named_leads(book: Book) -> Table:
    """Give the dated leads with `own_`, the account that they name, and `name_`."""
    leads = book.attributed("leads").filter(_.created_at.notnull())
    deals = book.opportunities.select(deal_id="id", deal_account="account_id")
    leads = leads.left_join(deals, leads.opportunity_id == deals.deal_id)
    own = ibis.coalesce(leads.account_id, leads.deal_account)
    leads = leads.mutate(own_=own, name_=normal_name(leads.company))
    return leads.select(
        "id", "company", "source", "owner_id", "opportunity_id", "created_at", "qualified_at",
        "converted_at", "own_", "name_", team="event_team", region="event_region",
    )  # fmt: skip


def lead_accounts(book: Book, horizon: int) -> Table:
    """Give one row per company that enquired, with what it signed within so many days.

    Returns
    -------
    ibis.Table
        `id` (see `keyed_leads`), `company`, `source`, `owner_id`, `team`, `region` and
        `created_at` of its first lead, `n_leads`, `signed_on` (first signing from the day of that
        lead up to `horizon` days later; null where there is none) and `cents` (signed in that
        time). Companies that had signed before they first enquired are left out.
    """
    return kept_table(
        f"lead accounts within {horizon}", book, lambda: _lead_accounts(book, horizon)
    )


def _lead_accounts(book: Book, horizon: int) -> Table:
    leads, signed = _leads_and_signings(book)
    order = ibis.window(group_by="account", order_by=["created_at", "id"])
    whole = ibis.window(group_by="account")
    leads = leads.mutate(rank_=ibis.row_number().over(order), n_leads=_.id.count().over(whole))
    first = leads.filter(_.rank_ == 0)
    known = book.accounts.select(since_id="id", since_="customer_since")
    first = first.left_join(known, first.account_known == known.since_id).drop("since_id")
    pairs = _counted_from(first, signed, "account_known", "account_id")
    sums = pairs.group_by("key_").agg(
        before=ibis.ifelse(_.is_signing & (_.after_ < 0), 1, 0).max(),
        signed_on=_.signed_on.min(where=_.is_signing & _.after_.between(0, horizon)),
        cents=_.cents.sum(where=_.after_.between(0, horizon)).cast("int64"),
    )
    rows = first.left_join(sums, first.id == sums.key_)
    old = (rows.before == 1) | (day_number(rows.since_) < rows.day)
    rows = rows.filter(~old.fill_null(False))
    return rows.select(
        "company", "source", "owner_id", "team", "region", "created_at", "n_leads", "signed_on",
        "cents", id="account",
    )  # fmt: skip


def _counted_from(leads: Table, signed: Table, own: str, other: str) -> Table:
    """Put the signings beside leads: `key_` (the lead), `after_` (days since its creation)."""
    start = leads.select(key_="id", own_=leads[own], day_="day")
    pairs = start.join(signed, start.own_ == signed[other])
    return pairs.mutate(after_=day_number(pairs.signed_on) - pairs.day_)


def links_deals(book: Book) -> bool:
    """Say whether leads name the deal that was made of them."""
    return book.has("leads.opportunity_id") or book.has("leads.converted_at")


def no_link(book: Book) -> str | None:
    """Say why leads and signings can't be brought together."""
    if not has_contracts(book) and not book.has("opportunities.closed_at"):
        return "missing:opportunities.closed_at"
    if not (book.has("opportunities.account_id") or book.has("contracts.account_id")):
        return "missing:opportunities.account_id"
    by_lead = any(book.has(f"leads.{c}") for c in ("account_id", "company", "opportunity_id"))
    return None if by_lead else "missing:leads.account_id"


def lead_steps(book: Book, horizon: int) -> Table:
    """Give one row per dated lead: how far it came within so many days.

    Returns
    -------
    ibis.Table
        `id`, `company`, `source`, `owner_id`, `team`, `region`, `created_at`, `opportunity_id`,
        `won_on` (signed within the time; null if not), `is_valid`, `is_opportunity`. Each later
        step counts as every earlier one.

    Notes
    -----
    Where leads don't name their deal, the deals and signings of the same company from the day of
    the lead on stand in.
    """
    return kept_table(f"lead steps within {horizon}", book, lambda: _lead_steps(book, horizon))


def _leads_and_signings(book: Book) -> tuple[Table, Table]:
    leads = kept_table("keyed leads", book, lambda: keyed_leads(book))
    return leads, kept_table("signings beside leads", book, lambda: signings(book))


def _lead_steps(book: Book, horizon: int) -> Table:
    leads, signed = _leads_and_signings(book)
    if links_deals(book):
        pairs = _counted_from(leads, signed, "opportunity_id", "opportunity_id")
        made = leads.opportunity_id.notnull() | leads.converted_at.notnull()
        leads = with_day_numbers(book, leads.mutate(made_=made), {"made_on": "converted_at"})
    else:
        pairs = _counted_from(leads, signed, "account_known", "account_id")
        leads = _with_deals_of_account(book, leads)
    inside = pairs.filter(pairs.is_signing, pairs.after_.between(0, horizon))
    won = inside.group_by("key_").agg(won_on=_.signed_on.min())
    leads = leads.left_join(won, leads.id == won.key_)
    leads = with_day_numbers(book, leads, {"valid_on": "qualified_at"})
    soon = (leads.made_on - leads.day <= horizon).fill_null(True)
    dealt = (leads.made_ & soon) | leads.won_on.notnull()
    valid = (leads.valid_on - leads.day <= horizon).fill_null(False)
    return leads.select(
        "id", "company", "source", "owner_id", "team", "region", "created_at", "opportunity_id",
        "won_on", is_valid=valid | dealt, is_opportunity=dealt,
    )  # fmt: skip


def _with_deals_of_account(book: Book, leads: Table) -> Table:
    """Add the first deal of the same company from the day of the lead on."""
    deals = with_day_numbers(book, book.opportunities, {"made_on": "created_at"})
    deals = deals.filter(_.account_id.notnull()).select(deal_account="account_id",
                                                        made_on="made_on")  # fmt: skip
    start = leads.select(key_="id", own_="account_known", day_="day")
    pairs = start.join(deals, start.own_ == deals.deal_account)
    pairs = pairs.filter(pairs.made_on >= pairs.day_)
    first = pairs.group_by("key_").agg(made_on=_.made_on.min())
    leads = leads.left_join(first, leads.id == first.key_).drop("key_")
    return leads.mutate(made_=leads.made_on.notnull())
