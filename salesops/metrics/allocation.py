"""Which instalment was paid with which money, as known at the book's date.

A receipt that names an instalment pays that one; what names none, and what exceeds the instalment
that was named, pays the contract's instalments, oldest original due date first. Refunds take back
what was paid last. What finds no instalment is unallocated, so that to the cent
allocated + unallocated = received.
"""

import datetime as dt
from weakref import WeakKeyDictionary

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.book.scope import in_people
from salesops.book.versions import AT
from salesops.metrics.metric import Table

# Triggers that wait for the customer's signature under the acceptance (验收).
AFTER_ACCEPTANCE = ("acceptance", "retention")
_LAST = dt.date(9999, 12, 31)
_DAY = 86_400
# One book asks for these rows many times, and to write the query takes longer than to run it.
_PAID: "WeakKeyDictionary[Book, Table]" = WeakKeyDictionary()
_SIGNED: "WeakKeyDictionary[Book, Table]" = WeakKeyDictionary()
_RESOLVED: "WeakKeyDictionary[Book, Table]" = WeakKeyDictionary()


def cents(money: ibis.Value) -> ibis.Value:
    """Write money as whole cents, 0 where it is not known."""
    return (money * 100).cast("int64").fill_null(0)


def whole(total: ibis.Value) -> ibis.Value:
    """Keep a sum of cents a whole number on every engine, 0 where there is nothing to sum."""
    return total.cast("int64").fill_null(0)


def days_between(later: ibis.Value, earlier: ibis.Value) -> ibis.Value:
    """Count the days from one day to another."""
    seconds = later.cast(AT).epoch_seconds() - earlier.cast(AT).epoch_seconds()
    return (seconds // _DAY).cast("int64")


def owned_contracts(book: Book) -> Table:
    """Give the contracts that belong to people in scope, with whose they were at their signing.

    A scope also shows contracts that are only credited in part to somebody inside; their money
    belongs to their owner.
    """
    rows = book.attributed("contracts")
    if not book.limits.limits_people:
        return rows
    inside = in_people(book.limits, rows.event_owner_id, rows.event_team, rows.event_region)
    return rows.filter(inside)


def of_owned(book: Book, rows: Table) -> Table:
    """Keep the rows whose contract belongs to people in scope; all of them in a company's book."""
    if not book.limits.limits_people:
        return rows
    return rows.filter(rows.contract_id.isin(owned_contracts(book).id))


def signed_contracts(book: Book) -> Table:
    """Give one row per contract with its cents, and whom it belongs to at its signing.

    Returns
    -------
    ibis.Table
        `id`, `account_id`, `owner_id`, `team`, `region`, `cents`, `signed_on`, `cancelled_on`,
        `delivered_on`, `accepted_on`, `received_cents` (money that came in for it, refunds off).
    """
    if book not in _SIGNED:
        _SIGNED[book] = _signed(book).cache()
    return _SIGNED[book]


def _signed(book: Book) -> Table:
    rows = owned_contracts(book)
    came = resolved_receipts(book).filter(_.contract_id.notnull())
    came = came.group_by("contract_id").agg(came=whole(_.cents.sum()))
    rows = rows.left_join(came, rows.id == came.contract_id)
    return rows.select(
        "id", "account_id", owner_id="event_owner_id", team="event_team", region="event_region",
        cents=cents(rows.amount), signed_on="signed_on", cancelled_on="cancelled_on",
        delivered_on="delivered_on", accepted_on="accepted_on",
        received_cents=rows.came.fill_null(0),
    )  # fmt: skip


def resolved_receipts(book: Book) -> Table:
    """Give one row per receipt with the contract and the instalment that it is for.

    The instalment that is named decides about the contract; one that nobody knows does not count.

    Returns
    -------
    ibis.Table
        `id`, `contract_id`, `instalment_id` (null where none is named), `received_on`, `cents`.
    """
    if book not in _RESOLVED:
        _RESOLVED[book] = _resolved(book).cache()
    return _RESOLVED[book]


def _resolved(book: Book) -> Table:
    receipts = book.receipts
    known = book.instalments.select(known_id="id", known_contract="contract_id")
    joined = receipts.left_join(known, receipts.instalment_id == known.known_id)
    rows = joined.select(
        "id", "received_on", contract_id=ibis.coalesce(joined.known_contract, joined.contract_id),
        instalment_id=joined.known_id, cents=cents(joined.amount),
    )  # fmt: skip
    return of_owned(book, rows)


def first_due(book: Book) -> Table:
    """Give the instalments with `first_due_on`: the day on which each was due at first.

    That is the original date as entered, else the first one in the history, else today's.
    """
    rows = of_owned(book, book.instalments)
    spans = book.history("instalments")
    if "due_on" in spans.columns and "instalments" in book.tracked:
        dated = spans.filter(spans.due_on.notnull())
        begun = dated.group_by("id").agg(begun=dated.valid_from.min())
        first = dated.join(begun, [dated.id == begun.id, dated.valid_from == begun.begun])
        first = first.select(first_id=dated.id, first_in_log=dated.due_on)
        rows = rows.left_join(first, rows.id == first.first_id)
        day = ibis.coalesce(rows.original_due_on, rows.first_in_log, rows.due_on)
        return rows.mutate(first_due_on=day).drop("first_id", "first_in_log")
    return rows.mutate(first_due_on=ibis.coalesce(rows.original_due_on, rows.due_on))


def paid_instalments(book: Book) -> Table:
    """What of each instalment has been paid, and how does the rest stand?

    Returns
    -------
    ibis.Table
        One row per instalment: `id`, `contract_id`, `account_id`, `owner_id`, `team`, `region`
        (the contract's at its signing), `trigger`, `due_on` (the first due date; null where none
        is agreed), `moved_to_on` (the date that holds now), `signed_on`, `delivered_on`,
        `accepted_on`, `cancelled_on`, `overdue_reason`, `cents`, `received_cents` (allocated to
        it), `unpaid_cents` (0 where the contract is cancelled), `overdue_days` (days since it fell
        due where something is unpaid, else null) and `state`: `paid`, `undated`, `not_due`,
        `overdue` or `lapsed` (its contract is cancelled).

    Notes
    -----
    What falls due on the book's date itself is not overdue yet. From the day of cancellation on
    nothing of a contract is due any more: what is settled then, or given back, no instalment says.
    Credits are not split here: the money belongs to the owner of the contract, in a team's scope
    as in the company's groups.
    """
    if book not in _PAID:
        _PAID[book] = _allocated(book).cache()
    return _PAID[book]


def _allocated(book: Book) -> Table:
    rows = _with_room(book)
    one = ibis.window(group_by="of", order_by=["order_on", "id"], preceding=None, following=0)
    all_of = ibis.window(group_by="of")
    rows = rows.mutate(
        pool=whole(_.free) + whole((_.named - _.by_name).sum().over(all_of)),
        before=whole(_.room.sum().over(one)) - _.room,
        after=whole(_.by_name.sum().over(all_of)) - whole(_.by_name.sum().over(one)),
    )
    more = ibis.least(ibis.greatest(rows.pool - rows.before, 0), rows.room)
    less = ibis.least(ibis.greatest(-rows.pool - rows.after, 0), rows.by_name)
    rows = rows.mutate(received_cents=rows.by_name + more - less)
    return _with_state(book, rows)


def _with_room(book: Book) -> Table:
    """Give the instalments with what names them, and the room that is left for other money."""
    rows, contracts = first_due(book), signed_contracts(book).rename(of_contract="id")
    contracts = contracts.drop("cents", "received_cents")
    rows = rows.left_join(contracts, rows.contract_id == contracts.of_contract)
    came = resolved_receipts(book)
    named = came.filter(_.instalment_id.notnull())
    named = named.group_by(named_id="instalment_id").agg(named=whole(_.cents.sum()))
    free = came.filter(_.instalment_id.isnull(), _.contract_id.notnull())
    free = free.group_by(free_id="contract_id").agg(free=whole(_.cents.sum()))
    rows = rows.left_join(named, rows.id == named.named_id)
    rows = rows.left_join(free, rows.contract_id == free.free_id)
    due = rows.first_due_on
    gone = rows.cancelled_on.notnull() & (due.isnull() | (due > rows.cancelled_on))
    rows = rows.mutate(
        cents=cents(rows.amount),
        gone=gone.fill_null(False),
        named=whole(rows.named),
        order_on=ibis.coalesce(due, ibis.literal(_LAST)),
        # Instalments without a contract have nothing in common.
        of=ibis.coalesce(rows.contract_id, ibis.literal("instalment ").concat(rows.id)),
    )
    owed = ibis.greatest(rows.cents, 0)
    by_name = ibis.least(ibis.greatest(rows.named, 0), owed)
    return rows.mutate(by_name=by_name, room=ibis.ifelse(rows.gone, 0, owed - by_name))


def _with_state(book: Book, rows: Table) -> Table:
    today = ibis.literal(book.date)
    lapsed = rows.cancelled_on.notnull()
    unpaid = ibis.ifelse(lapsed, 0, ibis.greatest(rows.cents - rows.received_cents, 0))
    rows = rows.mutate(unpaid_cents=unpaid, lapsed=lapsed)
    late = (rows.unpaid_cents > 0) & (rows.first_due_on < today)
    state = ibis.cases(
        (rows.lapsed, "lapsed"), (rows.unpaid_cents == 0, "paid"),
        (rows.first_due_on.isnull(), "undated"), (rows.first_due_on < today, "overdue"),
        else_="not_due",
    )  # fmt: skip
    days = ibis.ifelse(late, days_between(today, rows.first_due_on), ibis.null("int64"))
    return rows.select(
        "id", "contract_id", "account_id", "owner_id", "team", "region", "trigger",
        due_on="first_due_on", moved_to_on="due_on", signed_on="signed_on",
        delivered_on="delivered_on", accepted_on="accepted_on", cancelled_on="cancelled_on",
        overdue_reason="overdue_reason", cents="cents", received_cents="received_cents",
        unpaid_cents="unpaid_cents", overdue_days=days, state=state,
    )  # fmt: skip


def unallocated_money(book: Book) -> Table:
    """Which money found no instalment?

    Returns
    -------
    ibis.Table
        One row per contract with such money, and one (`id` is `-`) for receipts without a
        contract: `id`, `received_cents` (all that came in for it), `unallocated_cents` (negative
        where more was refunded than came in), `why`: `no_contract`, `no_instalment` or `beyond`
        (more than was agreed).
    """
    came = resolved_receipts(book).group_by("contract_id").agg(received_cents=whole(_.cents.sum()))
    paid = paid_instalments(book).group_by(paid_id="contract_id").agg(
        allocated=whole(_.received_cents.sum()), owed_n=_.count()
    )  # fmt: skip
    rows = came.left_join(paid, came.contract_id == paid.paid_id)
    rest = rows.received_cents - whole(rows.allocated)
    why = ibis.cases(
        (rows.contract_id.isnull(), "no_contract"), (rows.owed_n.isnull(), "no_instalment"),
        else_="beyond",
    )  # fmt: skip
    rows = rows.select(
        id=ibis.coalesce(rows.contract_id, ibis.literal("-")), received_cents="received_cents",
        unallocated_cents=rest, why=why,
    )  # fmt: skip
    return rows.filter(_.unallocated_cents != 0)
