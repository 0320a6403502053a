"""Which rows a scope leaves: by person at the event, by customer, by product, by what belongs."""

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import ibis
from ibis import _

from salesops.book.moment import instant
from salesops.book.scope import (
    OUTSIDE,
    in_people,
    linked,
    mask_changes,
    mask_people,
    with_people,
)
from salesops.book.versions import AT

if TYPE_CHECKING:
    from salesops.book.book import Book

Table: TypeAlias = ibis.Table
# Table -> column of its owner and of the event at which the owner counts; none: as things stand.
OWNED = {
    "opportunities": ("event_owner_id", "closed_at"),
    "leads": ("owner_id", "converted_at"),
    "contracts": ("owner_id", "signed_on"),
    "accounts": ("owner_id", ""),
    "actions": ("owner_id", ""),
    "forecasts": ("user_id", ""),
}


def restricted(book: "Book", name: str, table: Table) -> Table:
    """Give the rows of a table that the book's scope leaves, with people outside masked."""
    if book.limits.limits_people:
        table = _of_people(book, name, table)
    table = _of_customers(book, name, table)
    table = linked(name, table, book.table, lambda: book.insiders)
    if book.limits.limits_people:
        table = mask_people(name, table, book.insiders)
        if name == "changes":
            table = mask_changes(table, book.insiders)
    return table


def everyone_inside(book: "Book") -> Table:
    """List in `person` everyone who is, or up to the book's instant was, inside the scope."""
    users = book.unscoped("users")
    now = users.select(person="id", team="team", region="region")
    spans = book.store.spans.get("users")
    if spans is not None:
        moved = [c for c in ("team", "region") if c in spans.columns]
        past = spans.filter(_.valid_from <= instant(book.instant))
        rest = [c for c in ("team", "region") if c not in moved]
        past = past.select(person="id", **{c: c for c in moved})
        past = past.mutate(**{c: ibis.null("string") for c in rest})
        now = ibis.union(now, past.select("person", "team", "region"))
    inside = in_people(book.limits, now.person, now.team, now.region)
    return now.filter(inside).select("person").distinct()


def _of_people(book: "Book", name: str, table: Table) -> Table:
    """Keep the rows that belong to people inside, at the event where there was one."""
    if name == "users":
        kept = table.filter(table.id.isin(book.insiders.person))
        here = in_people(book.limits, kept.id, kept.team, kept.region)
        hidden = {c: ibis.ifelse(here, kept[c], ibis.literal(OUTSIDE)) for c in ("team", "region")}
        return kept.mutate(**hidden)
    if name in OWNED:
        return _owned(book, name, table, *OWNED[name])
    if name == "targets":
        here = replace(book.limits, user="all")
        inside = in_people(here, table.key, table.key, table.key)
        by_user = (table.level == "user") & table.key.isin(book.insiders.person)
        by_team = (table.level == "team") & inside & (book.limits.team != "all")
        by_region = (table.level == "region") & (table.key == book.limits.region)
        return table.filter(by_user | by_team | by_region)
    return table


def _owned(book: "Book", name: str, table: Table, owner: str, at: str) -> Table:
    columns = table.columns
    dated = table if at else table.mutate(at_=ibis.null(AT))
    users, now = book.unscoped("users"), instant(book.instant)
    people = with_people(book.store, dated, owner, at or "at_", users, now)
    inside = in_people(book.limits, people[owner], people.event_team, people.event_region)
    kept = people.filter(inside).select(columns)
    if name == "accounts":
        shared = book.table("opportunities").account_id
        return table.filter(table.id.isin(kept.id) | table.id.isin(shared))
    if name in ("opportunities", "contracts") and "credits" in book.store.present:
        return table.filter(table.id.isin(kept.id) | _credited(book, name, table))
    return kept


def _credited(book: "Book", name: str, table: Table) -> ibis.Value:
    """Say which ended deals or contracts are credited to somebody inside.

    A contract without credits of its own has those of its deal.
    """
    shares = book.unscoped("credits")
    inside = shares.filter(shares.user_id.isin(book.insiders.person))
    if name == "opportunities":
        return (table.outcome != "open") & table.id.isin(inside.opportunity_id)
    of_deal = inside.filter(_.contract_id.isnull())
    own = shares.filter(_.share > 0, _.user_id.notnull(), _.contract_id.notnull())
    by_deal = table.opportunity_id.isin(of_deal.opportunity_id) & ~table.id.isin(own.contract_id)
    return table.id.isin(inside.contract_id) | by_deal.fill_null(False)


def _of_customers(book: "Book", name: str, table: Table) -> Table:
    """Keep the rows of customers of the segment, and deals of the product line."""
    if book.limits.segment != "all":
        accounts = book.unscoped("accounts").filter(_.segment == book.limits.segment)
        if name == "accounts":
            table = table.filter(table.id.isin(accounts.id))
        elif "account_id" in table.columns and name not in ("contacts", "activities"):
            table = table.filter(table.account_id.isin(accounts.id))
    if book.limits.product_line != "all":
        if "product_line" in table.columns:
            table = table.filter(table.product_line == book.limits.product_line)
        elif name == "contracts":
            table = table.filter(table.opportunity_id.isin(book.table("opportunities").id))
    return table
