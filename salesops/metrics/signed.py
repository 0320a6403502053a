"""Signed business, row by row: what was signed, cancelled or cut, when, and by whom.

With contracts each is counted on the day of its signing, and taken off again on the day on which it
was cancelled or cut. Without contracts the value of won deals counts on the day they were won. The
two are never mixed. A result belongs to whom it is credited, in the team and region of that person
when the deal was signed; a cancellation is taken from those who got the result.
"""

from dataclasses import replace
from typing import Literal, TypeAlias

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.book.scope import in_people, with_people
from salesops.book.versions import AT
from salesops.metrics.clock import with_local_days
from salesops.metrics.credited import by_credit, cut, of_everyone
from salesops.metrics.currency import whole_cents
from salesops.metrics.kept import kept_table
from salesops.metrics.metric import Table
from salesops.model.calendar import Period

Kind: TypeAlias = Literal["selling", "renewal", "all"]
RECURRING = ("subscription", "maintenance")
_FAR = "2200-01-01"


def has_contracts(book: Book) -> bool:
    """Say whether signed business is told by contracts; else by won deals."""
    return book.has("contracts.amount") and book.has("contracts.signed_on")


def missing_for_signed(book: Book) -> str | None:
    """Give the code of what is missing to count signed business, if anything is."""
    if has_contracts(book):
        return None
    for needed in ("opportunities.amount", "opportunities.closed_at"):
        if not book.has(needed):
            return f"missing:{needed}"
    return None


def signed(book: Book, window: Period, *, kind: Kind = "selling") -> Table:
    """Give what was signed and cancelled in a window, by person credited.

    Parameters
    ----------
    book
        The company, at its date and in its scope; of a result that is shared with people outside
        only the part of those inside counts.
    window
        Days from `start` to `end`.
    kind
        `selling` for new and expansion business, `renewal`, or `all`. A contract is a renewal
        where its deal is one or another contract names it as such; without either it is not.

    Returns
    -------
    ibis.Table
        One row per event and person: `id`, `event` (`signed`, `cancelled`, `changed`), `booked_on`
        (the company's day), `contract_id` (null without contracts), `opportunity_id`,
        `account_id`, `name`, `type`, `source`, `product_line`, `segment`, `credit_share` (0-1, of
        the person), `cents` (whole cents in company currency, negative where taken off; null
        where no value or exchange rate is known), `yearly_cents` (recurring lines at the value of
        twelve months), `owner_id`, `team`, `region` (at the event), `team_now`, `region_now`
        (current organisation, which restates history).

    Notes
    -----
    Shares that do not sum to one are scaled to it; cents are cut so that the parts make the whole.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> book = open_book("tests/tiny_company")
    >>> signed(book, book.period("2026Q1")).cents.sum().to_pandas() / 100
    140.0
    """
    rows = _everything(book)
    rows = rows.filter(book.calendar.contains(window, rows.booked_on).fill_null(False))
    if kind == "all":
        return rows
    renewal = (rows.type == "renewal").fill_null(False)
    return rows.filter(renewal if kind == "renewal" else ~renewal)


def _everything(book: Book) -> Table:
    # A result may be credited to people in scope though its owner is not, so that all are laid
    # out and `_organised` keeps what belongs to people inside.
    own = replace(book, renewals=True)
    whole = of_everyone(own)

    def laid_out() -> Table:
        rows = _contracts(whole) if has_contracts(whole) else _won_deals(whole)
        return _organised(own, _by_person(whole, rows))

    return kept_table("signed", own, laid_out)


_KEPT = ("contract_id", "opportunity_id", "account_id", "name", "type", "source", "product_line",
         "event", "booked_on", "at", "cents", "yearly_cents", "owner_id")  # fmt: skip


def _contracts(book: Book) -> Table:
    """Give signings, cuts and cancellations of contracts."""
    contracts = book.contracts
    deals = _deals_of_contracts(book)
    renewing = contracts.filter(_.renewed_by.notnull()).select(renewing_id="renewed_by").distinct()
    rows = contracts.left_join(deals, contracts.opportunity_id == deals.deal_id)
    rows = rows.left_join(renewing, rows.id == renewing.renewing_id)
    rows = rows.mutate(
        type=ibis.ifelse(rows.renewing_id.notnull(), "renewal", rows.type),
        contract_id=rows.id,
        now_cents=(rows.amount * 100).cast("int64"),
    )
    rows = _with_recurring(book, rows)
    first, cuts = _amounts_over_time(book, rows)
    signings = first.mutate(event=ibis.literal("signed"), booked_on=first.signed_on, key_=first.id)
    # Nobody cancels before signing; a date entered so takes the contract off on its first day.
    gone = rows.filter(rows.cancelled_on.notnull())
    gone = gone.mutate(
        event=ibis.literal("cancelled"), cents=-gone.now_cents, yearly_cents=-gone.yearly_now,
        booked_on=ibis.greatest(gone.cancelled_on, gone.signed_on),
        key_=gone.id.concat(":cancelled"),
    )  # fmt: skip
    parts = [t.mutate(at=t.signed_on.cast(AT)).select("key_", *_KEPT)
             for t in (signings, gone, *cuts)]  # fmt: skip
    return ibis.union(*parts)


def _deals_of_contracts(book: Book) -> Table:
    """Give what describes the deals behind contracts.

    Of the whole company: a contract in scope is a renewal, or not, whoever closed its deal.
    """
    deals = book.unscoped("opportunities")
    return deals.select(deal_id="id", name="name", type="type", source="source",
                        product_line="product_line")  # fmt: skip


def _with_recurring(book: Book, rows: Table) -> Table:
    """Add `yearly_now`: the value with recurring lines at that of twelve months."""
    lines = book.contract_lines
    recurs = lines.kind.isin(RECURRING) & (lines.months > 0) & lines.amount.notnull()
    lines = lines.filter(recurs.fill_null(False))
    own = (lines.amount * 100).cast("int64")
    yearly = whole_cents(own.cast("float64") * 12 / lines.months)
    beside = lines.mutate(beside=own - yearly)
    beside = beside.group_by(line_of="contract_id").agg(beside=_.beside.sum().cast("int64"))
    rows = rows.left_join(beside, rows.id == beside.line_of)
    return rows.mutate(yearly_now=rows.now_cents - rows.beside.fill_null(0))


def _amounts_over_time(book: Book, rows: Table) -> tuple[Table, tuple[Table, ...]]:
    """Give the contracts with the value at which they were signed, and later changes of it."""
    if not book.is_tracked("contracts", "amount"):
        return rows.mutate(cents=rows.now_cents, yearly_cents=rows.yearly_now), ()
    spans = book.history("contracts").select("id", "valid_from", "amount")
    order = ibis.window(group_by="id", order_by="valid_from")
    spans = spans.mutate(
        step=ibis.row_number().over(order),
        own=(spans.amount * 100).cast("int64"),
        before=(spans.amount.lag().over(order) * 100).cast("int64"),
    )
    first = spans.filter(_.step == 0).select(first_id="id", first_cents="own")
    signed_at = rows.left_join(first, rows.id == first.first_id)
    began = ibis.coalesce(signed_at.first_cents, signed_at.now_cents)
    signed_at = signed_at.mutate(
        cents=began, yearly_cents=signed_at.yearly_now + began - signed_at.now_cents
    )
    moved = spans.filter(_.step > 0, _.own != _.before)
    moved = with_local_days(book, moved, {"moved_on": "valid_from"})
    moved = moved.select(moved_id="id", moved_on="moved_on", by=moved.own - moved.before)
    cuts = rows.join(moved, rows.id == moved.moved_id)
    cuts = cuts.mutate(
        event=ibis.literal("changed"), cents=cuts.by, yearly_cents=cuts.by,
        booked_on=ibis.greatest(cuts.moved_on, cuts.signed_on),
    )  # fmt: skip
    key = cuts.id.concat(":", cuts.moved_on.cast("string"))
    # Several changes on one day are one.
    cuts = cuts.mutate(key_=key)
    total = cuts.group_by("key_").agg(by_day=_.by.sum().cast("int64"))
    same = ibis.window(group_by="key_", order_by="by")
    cuts = cuts.mutate(nth=ibis.row_number().over(same)).filter(_.nth == 0)
    cuts = cuts.join(total, "key_").mutate(cents=_.by_day, yearly_cents=_.by_day)
    return signed_at, (cuts,)


def _won_deals(book: Book) -> Table:
    """Give the deals that were won, in company currency at the day's rate."""
    deals = book.opportunities
    deals = deals.filter(deals.outcome == "won", deals.closed_at.notnull())
    deals = with_local_days(book, deals, {"booked_on": "closed_at"})
    deals = at_days_rate(book, deals)
    return deals.select(
        *(c for c in _KEPT if c in deals.columns and c not in ("owner_id", "at")),
        key_="id", contract_id=ibis.null("string"), opportunity_id="id", at="closed_at",
        event=ibis.literal("signed"), yearly_cents="cents", owner_id="event_owner_id",
    )  # fmt: skip


def at_days_rate(book: Book, deals: Table) -> Table:
    """Add `cents` in company currency, at the rate that held on `booked_on`."""
    own = (deals.amount * 100).cast("int64")
    if not book.has("opportunities.currency"):
        return deals.mutate(cents=own)
    home = book.settings.company.currency
    fx = book.fx
    following = ibis.window(group_by="currency", order_by="on")
    until = fx.on.lead().over(following).fill_null(ibis.date(_FAR))
    rates = fx.mutate(until=until).select(fx_currency="currency", since="on", until="until",
                                          fx_rate="rate")  # fmt: skip
    rates = rates.filter(rates.since < rates.until)
    deals = deals.mutate(own_=own)
    known = [deals.currency == rates.fx_currency, deals.booked_on >= rates.since,
             deals.booked_on < rates.until]  # fmt: skip
    deals = deals.left_join(rates, known)
    at_home = deals.currency.isnull() | (deals.currency == home)
    rated = whole_cents(deals.own_ * deals.fx_rate)
    return deals.mutate(cents=ibis.ifelse(at_home, deals.own_, rated))


def _by_person(book: Book, rows: Table) -> Table:
    """Split each event among those to whom it is credited; without credits it is the owner's."""
    rows = by_credit(book, rows)
    rows = rows.mutate(cents=cut(rows.cents, rows), yearly_cents=cut(rows.yearly_cents, rows))
    return rows.mutate(id=ibis.ifelse(rows.named_, rows.key_.concat("/", rows.owner_id), rows.key_))


def _organised(book: Book, rows: Table) -> Table:
    """Add team and region at the event and now, and keep what belongs to people in scope."""
    everybody = book.unscoped("users")
    rows = with_people(book.store, rows, "owner_id", "at", everybody, instant(book.instant))
    if book.limits.limits_people:
        inside = in_people(book.limits, rows.owner_id, rows.event_team, rows.event_region)
        rows = rows.filter(inside)
    people = book.users.select(person="id", team_now="team", region_now="region")
    rows = rows.left_join(people, rows.owner_id == people.person)
    segments = book.unscoped("accounts").select(segment_of="id", segment="segment")
    rows = rows.left_join(segments, rows.account_id == segments.segment_of)
    return rows.select(
        "id", "event", "booked_on", "contract_id", "opportunity_id", "account_id", "name", "type",
        "source", "product_line", "segment", "credit_share", "cents", "yearly_cents", "owner_id",
        "team_now", "region_now", team="event_team", region="event_region",
    )  # fmt: skip


def signings(book: Book, window: Period, *, kind: Kind = "selling") -> pd.DataFrame:
    """Give the rows of `signed` as a frame with `amount` in company currency, ordered by day."""
    frame = signed(book, window, kind=kind).order_by("booked_on", "id").to_pandas()
    frame["booked_on"] = pd.to_datetime(frame["booked_on"])
    frame["amount"] = frame["cents"].astype("float64") / 100
    return frame
