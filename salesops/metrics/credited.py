"""To whom a result belongs: those to whom it is credited, else its owner.

Money is cut among them in whole cents, alike whoever looks, so that the parts make the whole and
no part is of the other sign.
"""

from collections.abc import Sequence
from dataclasses import replace

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.book.scope import in_people, with_people
from salesops.book.versions import AT
from salesops.metrics.currency import whole_cents
from salesops.metrics.kept import kept_table
from salesops.metrics.metric import Table

PEOPLE = ("owner_id", "team", "region")


def of_everyone(book: Book) -> Book:
    """Give the book of the same customers and products without limits of people."""
    return replace(book, limits=replace(book.limits, team="all", user="all", region="all"))


def by_credit(book: Book, rows: Table) -> Table:
    """Lay out each row once for everyone to whom it is credited; without credits it is the owner's.

    Parameters
    ----------
    book
        The company.
    rows
        With a unique `key_`, `contract_id`, `opportunity_id` and `owner_id`. Credits of the
        contract go before those of its deal.

    Returns
    -------
    ibis.Table
        The columns of `rows`, `owner_id` as who is credited, `named_` (false where the owner has it
        without credits), `credit_share` (0-1; shares that do not sum to one are scaled to it),
        `place` (1 for the owner, then by share), and `from_`, `to_`: where the person's part of the
        whole begins and ends, for `cut`.
    """
    if not book.has("credits"):
        return rows.mutate(named_=ibis.literal(False), credit_share=ibis.literal(1.0),
                           place=ibis.literal(1).cast("int64"), from_=ibis.literal(0.0),
                           to_=ibis.literal(1.0))  # fmt: skip
    shares = book.unscoped("credits").filter(_.share > 0, _.user_id.notnull())
    of_contract = shares.filter(_.contract_id.notnull())
    of_deal = shares.filter(_.contract_id.isnull(), _.opportunity_id.notnull())
    by_contract = of_contract.group_by(of_0="contract_id", user_0="user_id").agg(
        share_0=_.share.sum()
    )
    by_deal = of_deal.group_by(of_1="opportunity_id", user_1="user_id").agg(share_1=_.share.sum())
    given = rows.columns
    rows = rows.left_join(by_contract, rows.contract_id == by_contract.of_0)
    deal = ibis.ifelse(rows.user_0.isnull(), rows.opportunity_id, ibis.null("string"))
    rows = rows.mutate(deal_=deal)
    rows = rows.left_join(by_deal, rows.deal_ == by_deal.of_1)
    person = ibis.coalesce(rows.user_0, rows.user_1)
    rows = rows.mutate(
        person_=ibis.coalesce(person, rows.owner_id), named_=person.notnull(),
        share_=ibis.coalesce(rows.share_0, rows.share_1, 1.0).cast("float64"),
        own_=ibis.ifelse((person == rows.owner_id).fill_null(False), 0, 1),
    )  # fmt: skip
    order = ["own_", ibis.desc("share_"), "person_"]
    upto = ibis.window(group_by="key_", order_by=order, preceding=None, following=0)
    last = ibis.window(group_by="key_", order_by=order)
    rows = rows.mutate(sum_=rows.share_.sum().over(ibis.window(group_by="key_")),
                       run_=rows.share_.sum().over(upto),
                       place=(ibis.row_number().over(last) + 1).cast("int64"))  # fmt: skip
    rows = rows.mutate(n_=rows.place.max().over(ibis.window(group_by="key_")))
    # The last part ends with the whole, whatever its fractions add up to.
    to = ibis.ifelse(rows.place == rows.n_, 1.0, rows.run_ / rows.sum_)
    rows = rows.mutate(credit_share=rows.share_ / rows.sum_, to_=to)
    begin = ibis.ifelse(rows.place == 1, 0.0, rows.to_.lag().over(last))
    rows = rows.mutate(from_=begin)
    return rows.select(*(c for c in given if c != "owner_id"), "named_", "credit_share", "place",
                       "from_", "to_", owner_id="person_")  # fmt: skip


def cut(cents: ibis.Value, rows: Table) -> ibis.Value:
    """Give the part of whole cents that lies between `from_` and `to_` of the rows."""
    return whole_cents(cents * rows.to_) - whole_cents(cents * rows.from_)


def shared_out(book: Book, rows: Table, money: Sequence[str], by: Sequence[str] = ()) -> Table:
    """Keep of the rows of contracts what belongs to people in scope, by person, team or region.

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    rows
        Of all people, as `of_everyone` gives them: a unique `id`, `contract_id` (null where it is
        not known: such rows are the company's alone) and the columns `money`.
    money
        Columns of whole cents, of which the scope or group has its part.
    by
        What will be grouped by.

    Returns
    -------
    ibis.Table
        One row per row in scope, or per row and group where `by` names `owner_id`, `team` or
        `region`: the columns of `rows`, and `owner_id`, `team`, `region` at the signing: the
        contract's owner, or who has most of it where the owner is not in the scope or group.
    """
    sides = [c for c in PEOPLE if c in by]
    alone = not book.has("credits") or not (sides or book.limits.limits_people)
    if alone:
        whole = of_everyone(book)
        people = kept_table("owners", book, lambda: _inside(book, _owners(whole)))
        return _joined(book, rows, people)
    people = people_of(book)
    parts = _joined(book, rows.select("id", "contract_id", *money), people)
    # What has no contract is the company's as a whole.
    ends = {"from_": parts.from_.fill_null(0.0), "to_": parts.to_.fill_null(1.0)}
    parts = parts.mutate(**ends, place=parts.place.fill_null(0))
    parts = parts.mutate(**{c: cut(parts[c], parts) for c in money})
    keys = ["id", *(PEOPLE if "owner_id" in sides else sides)]
    sums = {c: parts[c].sum().cast("int64") for c in money}
    found = parts.group_by(keys).agg(first_=_.place.min(), **sums)
    found = found.select("first_", *money, id_="id")
    rows = rows.drop(*money).join(found, rows.id == found.id_).drop("id_")
    leads = people.select("place", *PEOPLE, of_="contract_id")
    rows = rows.left_join(leads, [rows.contract_id == leads.of_, rows.first_ == leads.place])
    return rows.drop("of_", "place", "first_")


def shares_inside(book: Book) -> "pd.Series[float]":
    """Give by contract which share of it (0-1) belongs to people in scope."""
    if not (book.has("credits") and book.limits.limits_people):
        return pd.Series(dtype=float)
    people = people_of(book)
    shares = people.group_by("contract_id").agg(share=(people.to_ - people.from_).sum())
    return shares.to_pandas().set_index("contract_id")["share"]


def people_of(book: Book) -> Table:
    """Give each contract with everyone in scope to whom it belongs.

    Returns
    -------
    ibis.Table
        One row per contract and person: `contract_id`, `owner_id`, `team`, `region` (at the
        signing), `place` (1 for the contract's owner, then by share), `from_`, `to_` (their part
        of it, 0 to 1).
    """
    whole = of_everyone(book)
    return kept_table("credited", book, lambda: _inside(book, _credited(whole)))


def _joined(book: Book, rows: Table, people: Table) -> Table:
    of = people.rename(of_="contract_id")
    how = "inner" if book.limits.limits_people else "left"
    return rows.join(of, rows.contract_id == of.of_, how=how).drop("of_")


def _owners(whole: Book) -> Table:
    """Give each contract with its owner."""
    return whole.contracts.select("owner_id", contract_id="id", at=_.signed_on.cast(AT))


def _credited(whole: Book) -> Table:
    """Give each contract with everyone to whom it is credited."""
    rows = whole.contracts.select("owner_id", "opportunity_id", key_="id", contract_id="id",
                                  at=_.signed_on.cast(AT))  # fmt: skip
    laid = by_credit(whole, rows)
    return laid.select("contract_id", "owner_id", "at", "place", "from_", "to_")


def _inside(book: Book, rows: Table) -> Table:
    """Add team and region at the signing, and keep who is in scope."""
    everybody, now = book.unscoped("users"), instant(book.instant)
    rows = with_people(book.store, rows, "owner_id", "at", everybody, now)
    if book.limits.limits_people:
        inside = in_people(book.limits, rows.owner_id, rows.event_team, rows.event_region)
        rows = rows.filter(inside)
    rest = [c for c in rows.columns if c not in ("at", "event_team", "event_region")]
    return rows.select(*rest, team="event_team", region="event_region")
