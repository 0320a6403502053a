"""What a person may see: every table restricted by semi-joins, before any cell computes.

Open deals belong to their owner at the book's date; ended ones, contracts and receipts to the
owner and that owner's team at the event. A person outside shows as `another_team`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeAlias

import ibis
import pandas as pd
from ibis import _

from salesops.book.versions import AT
from salesops.model.errors import BadScope, nearest
from salesops.model.tables import facts, user_columns

if TYPE_CHECKING:
    from salesops.book.store import Store

Table: TypeAlias = ibis.Table

OUTSIDE = "another_team"
_WRITTEN = {"team": "team", "user": "user", "region": "region", "segment": "segment",
            "product_line": "product_line"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A restriction; `all` leaves a side open."""

    team: str = "all"
    user: str = "all"
    region: str = "all"
    segment: str = "all"
    product_line: str = "all"

    @property
    def is_company(self) -> bool:
        """True where nothing is restricted."""
        return all(getattr(self, f.name) == "all" for f in fields(self))

    @property
    def limits_people(self) -> bool:
        """True where people are restricted, not only customers or products."""
        return (self.team, self.user, self.region) != ("all", "all", "all")

    def __str__(self) -> str:
        parts = [f"{f.name}:{getattr(self, f.name)}" for f in fields(self)
                 if getattr(self, f.name) != "all"]  # fmt: skip
        return ",".join(parts) or "company"


def parse_scope(text: str) -> Scope:
    """Read `company`, `team:<path>`, `user:<id>`, `region:<name>`, or several with commas.

    Raises
    ------
    BadScope
        The text is none of these.

    Examples
    --------
    >>> parse_scope("team:华东/一组").team
    '华东/一组'
    """
    if text in ("company", "all", ""):
        return Scope()
    found: dict[str, str] = {}
    for part in text.split(","):
        side, colon, value = part.partition(":")
        if not colon or not value:
            raise BadScope(value=text, reason="it is not written as side:value", known=())
        if side not in _WRITTEN:
            reason = f"there is no side {side!r}; nearest: {nearest(side, tuple(_WRITTEN))}"
            raise BadScope(value=text, reason=reason, known=())
        found[side] = value
    return Scope(**found)


def check_scope(scope: Scope, users: Table, spans: Table | None) -> None:
    """Refuse a team, person or region that the company does not have.

    Raises
    ------
    BadScope
        With the nearest known values.
    """
    people = users.select("id", "team", "region").to_pandas()
    if spans is not None:
        known = [c for c in ("team", "region") if c in spans.columns]
        people = pd.concat([people, spans.select(*known).distinct().to_pandas()])
    teams = sorted(set(people["team"].dropna()))
    prefixes = {"/".join(t.split("/")[:i]) for t in teams for i in range(1, t.count("/") + 2)}
    sides: list[tuple[str, str, set[str]]] = [
        ("team", scope.team, prefixes),
        ("user", scope.user, set(people["id"].dropna())),
        ("region", scope.region, set(people["region"].dropna())),
    ]
    for side, value, known_values in sides:
        if value != "all" and value not in known_values:
            raise BadScope(
                value=f"{side}:{value}",
                reason=f"the company has no such {side}",
                known=tuple(sorted(known_values)),
            )


def in_people(scope: Scope, person: ibis.Value, team: ibis.Value, region: ibis.Value) -> ibis.Value:
    """Say whether a person with this team and region is inside."""
    inside = ibis.literal(True)
    if scope.team != "all":
        inside = inside & ((team == scope.team) | team.startswith(scope.team + "/"))
    if scope.user != "all":
        inside = inside & (person == scope.user)
    if scope.region != "all":
        inside = inside & (region == scope.region)
    return inside.fill_null(False)


def with_people(
    store: "Store", table: Table, owner: str, at: str, users: Table, now: ibis.Value
) -> Table:
    """Add `event_team` and `event_region`: those of the owner at the instant in column `at`.

    Where `at` is null those of the book's instant `now` hold.
    """
    people = users.select(person="id", event_team="team", event_region="region")
    spans = store.spans.get("users")
    moved = [c for c in ("team", "region") if spans is not None and c in spans.columns]
    if spans is None or not moved:
        return table.left_join(people, table[owner] == people.person).drop("person")
    history = spans.select(
        "valid_from",
        "valid_to",
        person="id",
        **{f"event_{c}": c for c in moved},
    )
    other = [c for c in ("team", "region") if c not in moved]
    if other:
        rest = people.select(rest_id="person", **{f"event_{c}": f"event_{c}" for c in other})
        history = history.left_join(rest, history.person == rest.rest_id).drop("rest_id")
    first = history.group_by("person").agg(first_from=_.valid_from.min())
    history = history.join(first, "person").mutate(
        # Before a person's history begins the first known team holds.
        valid_from=ibis.ifelse(
            _.valid_from == _.first_from, ibis.timestamp("1900-01-01").cast(AT), _.valid_from
        )
    )
    when = ibis.coalesce(table[at].cast(AT), now)
    table = table.mutate(when_=when)
    joined = table.left_join(
        history,
        [
            table[owner] == history.person,
            table.when_ >= history.valid_from,
            table.when_ < history.valid_to,
        ],
    )
    return joined.select(*[c for c in table.columns if c != "when_"], "event_team", "event_region")


def mask_people(name: str, table: Table, inside: Table) -> Table:
    """Write `another_team` for every person outside."""
    masked = {
        c: ibis.ifelse(
            table[c].isnull() | table[c].isin(inside.person), table[c], ibis.literal(OUTSIDE)
        )
        for c in (*user_columns(name), *(("event_owner_id",) if "event_owner_id" in table.columns
                                         else ()))
    }  # fmt: skip
    return table.mutate(**masked) if masked else table


def mask_changes(changes: Table, inside: Table) -> Table:
    """Write `another_team` for people and teams outside that stand in old and new values."""
    from salesops.model.tables import TABLES

    pairs = [(t, c) for t in TABLES for c in user_columns(t)]
    named = ibis.literal(False)
    for entity, field in pairs:
        named = named | ((changes.entity == entity) & (changes.field == field))
    belongs = (changes.entity == "users") & changes.field.isin(["team", "region"])

    def shown(value: ibis.Value) -> ibis.Value:
        outside = named & value.notnull() & ~value.isin(inside.person)
        return ibis.ifelse(outside | (belongs & value.notnull()), ibis.literal(OUTSIDE), value)

    return changes.mutate(old_value=shown(changes.old_value), new_value=shown(changes.new_value))


Lookup: TypeAlias = Callable[[str], Table]


def linked(name: str, table: Table, scoped: Lookup, own: Callable[[], Table]) -> Table:
    """Keep the rows of a table that hang on rows inside the scope."""
    if name == "receipts":
        # Some name the instalment alone, which knows its contract.
        inside = table.contract_id.isin(scoped("contracts").id).fill_null(False)
        by_instalment = table.instalment_id.isin(scoped("instalments").id)
        return table.filter(inside | (table.contract_id.isnull() & by_instalment))
    if name in ("contract_lines", "instalments", "invoices"):
        return table.filter(table.contract_id.isin(scoped("contracts").id))
    if name == "quotes":
        return table.filter(table.opportunity_id.isin(scoped("opportunities").id))
    if name == "contacts":
        return table.filter(
            table.account_id.isin(scoped("accounts").id)
            | table.opportunity_id.isin(scoped("opportunities").id)
        )
    if name == "tickets":
        return table.filter(table.account_id.isin(scoped("accounts").id))
    if name == "credits":
        return table.filter(
            table.opportunity_id.isin(scoped("opportunities").id)
            | table.contract_id.isin(scoped("contracts").id)
        )
    if name == "activities":
        by_deal = table.opportunity_id.isin(scoped("opportunities").id)
        by_lead = table.lead_id.isin(scoped("leads").id)
        by_person = table.user_id.isin(own().person)
        return table.filter(
            ibis.cases(
                (table.opportunity_id.notnull(), by_deal),
                (table.lead_id.notnull(), by_lead),
                else_=by_person,
            )
        )
    if name == "changes":
        keep = ibis.literal(False)
        for entity in _entities(table):
            keep = keep | ((table.entity == entity) & table.entity_id.isin(scoped(entity).id))
        return table.filter(keep)
    return table


def _entities(_changes: Table) -> tuple[str, ...]:
    from salesops.model.tables import TABLES

    return tuple(t for t in TABLES if "id" in facts(t) and t not in ("changes", "tracked"))
