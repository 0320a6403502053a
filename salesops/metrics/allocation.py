"""Which instalment was paid with which money, as known at the book's date.

A receipt that names an instalment pays that one; what names none, and what exceeds the instalment
that was named, pays the contract's instalments, oldest original due date first. Refunds take back
what was paid last. What finds no instalment is unallocated, so that to the cent
allocated + unallocated = received.
"""

import datetime as dt
from collections.abc import Callable, Sequence

import ibis
from ibis import _

from salesops.book.book import Book
from salesops.book.versions import AT
from salesops.metrics.credited import PEOPLE, of_everyone, shared_out
from salesops.metrics.kept import kept_table
from salesops.metrics.metric import Table

# Triggers that wait for the customer's signature under the acceptance (验收).
AFTER_ACCEPTANCE = ("acceptance", "retention")
_LAST = dt.date(9999, 12, 31)
_DAY = 86_400
_SPLIT = ("received_cents", "unpaid_cents", "rest_cents")


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


def signed_contracts(book: Book, by: Sequence[str] = ()) -> Table:
    """Give one row per contract with its cents, and whom it belongs to at its signing.

    Parameters
    ----------
    book
        The company; of a contract that is credited to several people only the part of those in
        scope counts.
    by
        Where it names `owner_id`, `team` or `region` there is a row per contract and each of them,
        with their part.

    Returns
    -------
    ibis.Table
        `id`, `account_id`, `owner_id`, `team`, `region`, `cents`, `signed_on`, `cancelled_on`,
        `delivered_on`, `accepted_on`, `received_cents` (money that came in for it, refunds off).
    """
    return _shared("signed contracts", book, _signed, ("cents", "received_cents"), by).drop(
        "contract_id"
    )


def _shared(
    name: str, book: Book, make: Callable[[Book], Table], money: Sequence[str], by: Sequence[str]
) -> Table:
    """Work rows out for everybody, once, and give of them what belongs to a scope or group."""
    sides = [c for c in PEOPLE if c in by]
    whole = of_everyone(book)

    def part() -> Table:
        return shared_out(book, kept_table(name, whole, lambda: make(whole)), money, sides)

    return kept_table(" ".join([name, "by", *sides]), book, part)


def _signed(book: Book) -> Table:
    rows = book.contracts
    came = _kept_receipts(book).filter(_.contract_id.notnull())
    came = came.group_by("contract_id").agg(came=whole(_.cents.sum()))
    rows = rows.left_join(came, rows.id == came.contract_id)
    return rows.select(
        "id", "account_id", contract_id="id", cents=cents(rows.amount), signed_on="signed_on",
        cancelled_on="cancelled_on", delivered_on="delivered_on", accepted_on="accepted_on",
        received_cents=rows.came.fill_null(0),
    )  # fmt: skip


def resolved_receipts(book: Book, by: Sequence[str] = ()) -> Table:
    """Give one row per receipt with the contract and the instalment that it is for.

    The instalment that is named decides about the contract; one that nobody knows does not count.
    Scope and `by` as in `signed_contracts`.

    Returns
    -------
    ibis.Table
        `id`, `contract_id`, `instalment_id` (null where none is named), `received_on`, `cents`,
        `owner_id`, `team`, `region` (null where it has no contract).
    """
    return _shared("receipts", book, _resolved, ("cents",), by)


def _kept_receipts(whole: Book) -> Table:
    return kept_table("receipts", whole, lambda: _resolved(whole))


def _resolved(book: Book) -> Table:
    receipts = book.receipts
    known = book.instalments.select(known_id="id", known_contract="contract_id")
    joined = receipts.left_join(known, receipts.instalment_id == known.known_id)
    return joined.select(
        "id", "received_on", contract_id=ibis.coalesce(joined.known_contract, joined.contract_id),
        instalment_id=joined.known_id, cents=cents(joined.amount),
    )  # fmt: skip


def first_due(book: Book) -> Table:
    """Give the instalments with `first_due_on`: the day on which each was due at first.

    That is the original date as entered, else the first one in the history, else today's.
    """
    rows = book.instalments
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


def paid_instalments(book: Book, by: Sequence[str] = ()) -> Table:
    """What of each instalment has been paid, and how does the rest stand?

    Parameters
    ----------
    book
        The company; of a contract that is credited to several people only the part of those in
        scope counts.
    by
        Where it names `owner_id`, `team` or `region` there is a row per instalment and each of
        them, with their part.

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
    Money is allocated by whole instalments, whoever looks, and shared out by credits after that.
    """
    rows = _shared("instalments", book, _allocated, _SPLIT, by)
    # What is paid and what is not make the whole for each person, too.
    owed = rows.received_cents + rows.unpaid_cents + rows.rest_cents
    return rows.mutate(cents=owed).drop("rest_cents")


def whole_instalments(book: Book) -> Table:
    """Give the rows of `paid_instalments` of contracts that a scope shows, undivided."""
    everyone = of_everyone(book)
    rows = kept_table("instalments", everyone, lambda: _allocated(everyone))
    rows = rows.mutate(cents=rows.received_cents + rows.unpaid_cents + rows.rest_cents)
    return _of_shown(book, rows.drop("rest_cents"))


def whole_receipts(book: Book) -> Table:
    """Give the rows of `resolved_receipts` of contracts that a scope shows, undivided."""
    return _of_shown(book, _kept_receipts(of_everyone(book)))


def _of_shown(book: Book, rows: Table) -> Table:
    if not book.limits.limits_people:
        return rows
    return rows.filter(rows.contract_id.isin(signed_contracts(book).id))


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
    rows, contracts = first_due(book), book.contracts
    contracts = contracts.select("account_id", "signed_on", "delivered_on", "accepted_on",
                                 "cancelled_on", of_contract="id")  # fmt: skip
    rows = rows.left_join(contracts, rows.contract_id == contracts.of_contract)
    came = _kept_receipts(book)
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
        "id", "contract_id", "account_id", "trigger", due_on="first_due_on", moved_to_on="due_on",
        signed_on="signed_on", delivered_on="delivered_on", accepted_on="accepted_on",
        cancelled_on="cancelled_on", overdue_reason="overdue_reason",
        received_cents="received_cents", unpaid_cents="unpaid_cents",
        rest_cents=rows.cents - rows.received_cents - rows.unpaid_cents, overdue_days=days,
        state=state,
    )  # fmt: skip


def unallocated_money(book: Book, by: Sequence[str] = ()) -> Table:
    """Which money found no instalment?

    Returns
    -------
    ibis.Table
        One row per contract with such money, and one (`id` is `-`) for receipts without a
        contract: `id`, `received_cents` (all that came in for it), `unallocated_cents` (negative
        where more was refunded than came in), `why`: `no_contract`, `no_instalment` or `beyond`
        (more than was agreed), `owner_id`, `team`, `region`. Scope and `by` as in
        `signed_contracts`.
    """
    return _shared("unallocated", book, _unallocated, ("received_cents", "unallocated_cents"),
                   by).drop("contract_id")  # fmt: skip


def _unallocated(book: Book) -> Table:
    came = _kept_receipts(book).group_by("contract_id").agg(received_cents=whole(_.cents.sum()))
    paid = whole_instalments(book).group_by(paid_id="contract_id").agg(
        allocated=whole(_.received_cents.sum()), owed_n=_.count()
    )  # fmt: skip
    rows = came.left_join(paid, came.contract_id == paid.paid_id)
    rest = rows.received_cents - whole(rows.allocated)
    why = ibis.cases(
        (rows.contract_id.isnull(), "no_contract"), (rows.owed_n.isnull(), "no_instalment"),
        else_="beyond",
    )  # fmt: skip
    rows = rows.select(
        "contract_id", "received_cents", id=ibis.coalesce(rows.contract_id, ibis.literal("-")),
        unallocated_cents=rest, why=why,
    )  # fmt: skip
    return rows.filter(_.unallocated_cents != 0)
