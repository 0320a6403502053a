"""Small random companies whose whole past is known, kept as plain Python beside the tables.

Instants lie on a coarse grid, so that changes at the same instant, exactly at the date that is
asked for, reopened deals, null old and new values and removals all occur.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from salesops.book.book import Book
from salesops.book.compiled import remembering
from salesops.book.store import assemble
from salesops.book.write import typed
from salesops.model.settings import Settings

START = dt.datetime(2026, 1, 5, 2)
STEP = dt.timedelta(hours=7)
GRID = 60
STAGES = ("acquisition", "needs", "negotiation", "contract", "lost", "void")
TRACKED = ("stage", "amount", "owner_id", "expected_close_on", "next_step")
PEOPLE = ("u1", "u2", "u3", "u4", "u5", "u6")
TEAMS = ("North/1", "North/2", "South/1")


def at(step: int) -> dt.datetime:
    """Give an instant of the grid."""
    return START + step * STEP


@dataclass
class Row:
    """One row's life: when it began, its first values, and what was changed when."""

    id: str
    born: int
    first: dict[str, Any]
    edits: list[tuple[int, str, Any]] = field(default_factory=list)
    removed: int | None = None

    def value(self, name: str, step: int) -> Any:
        """Give the value that was known at a step of the grid."""
        found = self.first[name]
        for when, what, new in self.edits:
            if what == name and when <= step:
                found = new
        return found


@dataclass
class Company:
    """Rows by table, as they are at the end of the grid."""

    deals: list[Row]
    users: list[Row]
    touches: pd.DataFrame

    def tables(self, until: int = GRID, since: int = -1) -> dict[str, pa.Table]:
        """Lay out what was known at a step, with the log from `since` on."""
        frames = {
            "opportunities": self._deals(until),
            "users": self._users(until),
            "activities": self.touches[self.touches["logged_at"] <= at(until)],
            "changes": self._log(until, since),
            "tracked": pd.DataFrame(
                [("opportunities", name, at(since), "log") for name in TRACKED]
                + [("users", name, at(since), "log") for name in ("team",)],
                columns=["entity", "field", "since", "how"],
            ),
        }
        return {name: typed(name, frame) for name, frame in frames.items()}

    def _deals(self, until: int) -> pd.DataFrame:
        rows = []
        for deal in self.deals:
            if deal.born > until:
                continue
            values = {name: deal.value(name, until) for name in deal.first}
            closed = self.closed_at(deal, until)
            won = {"contract": True, "lost": False}.get(values["stage"])
            rows.append({"id": deal.id, "created_at": at(deal.born), "closed_at": closed,
                         "is_won": won, **values})  # fmt: skip
        columns = ["id", "created_at", "closed_at", "is_won", *self.deals[0].first]
        return pd.DataFrame(rows, columns=columns).astype({"is_won": object})

    @staticmethod
    def closed_at(deal: Row, until: int) -> dt.datetime | None:
        """Give the instant since which the deal has been in the stage that ended it."""
        if deal.value("stage", until) not in ("contract", "lost", "void"):
            return None
        now, since = deal.first["stage"], deal.born
        for when, what, new in deal.edits:
            if what == "stage" and when <= until and new != now:
                now, since = new, when
        return at(since)

    def _users(self, until: int) -> pd.DataFrame:
        rows = [{"id": u.id, "role": "rep", "region": u.first["region"], "name": f"Name {u.id}",
                 "team": u.value("team", until)} for u in self.users]  # fmt: skip
        return pd.DataFrame(rows)

    def _log(self, until: int, since: int) -> pd.DataFrame:
        rows: list[dict[str, Any]] = []
        seq = 0
        for entity, lives in (("opportunities", self.deals), ("users", self.users)):
            for life in lives:
                before = dict(life.first)
                for when, name, new in life.edits:
                    old, before[name], seq = before[name], new, seq + 1
                    if since <= when <= until:
                        rows.append({"entity": entity, "entity_id": life.id, "field": name,
                                     "old_value": written(old), "new_value": written(new),
                                     "changed_at": at(when), "seq": seq})  # fmt: skip
                seq += 1
                if life.removed is not None and since <= life.removed <= until:
                    rows.append({"entity": entity, "entity_id": life.id, "field": "_row",
                                 "old_value": "born", "new_value": None,
                                 "changed_at": at(life.removed), "seq": seq})  # fmt: skip
        columns = ["entity", "entity_id", "field", "old_value", "new_value", "changed_at", "seq"]
        return pd.DataFrame(rows, columns=columns).assign(changed_by=None)


def written(value: Any) -> str | None:
    """Write a value as logs do."""
    if value is None:
        return None
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def random_company(seed: int, n: int = 40) -> Company:
    """Make a company of n deals."""
    rng = np.random.default_rng(seed)
    deals = [_deal(rng, f"d{i:03d}") for i in range(n)]
    users = []
    for i, who in enumerate(PEOPLE):
        person = Row(who, 0, {"team": TEAMS[i % 3], "region": TEAMS[i % 3].split("/")[0]})
        if rng.random() < 0.4:
            person.edits.append((int(rng.integers(1, GRID)), "team", TEAMS[int(rng.integers(3))]))
        users.append(person)
    return Company(deals, users, _touches(rng, deals))


def _deal(rng: np.random.Generator, name: str) -> Row:
    born = int(rng.integers(0, GRID - 1))
    first = {
        "name": f"Deal {name}", "stage": "acquisition", "type": "new",
        "amount": _amount(rng), "owner_id": PEOPLE[int(rng.integers(len(PEOPLE)))],
        "expected_close_on": _day(rng), "next_step": None,
    }  # fmt: skip
    deal = Row(name, born, first)
    draw = {
        "stage": lambda: STAGES[int(rng.choice(6, p=(0.1, 0.25, 0.25, 0.15, 0.15, 0.1)))],
        "amount": lambda: _amount(rng),
        "owner_id": lambda: PEOPLE[int(rng.integers(len(PEOPLE)))],
        "expected_close_on": lambda: _day(rng),
        "next_step": lambda: None if rng.random() < 0.4 else f"step {int(rng.integers(9))}",
    }
    now = dict(first)
    for when in sorted(int(w) for w in rng.integers(born + 1, GRID, int(rng.integers(0, 9)))):
        name_ = TRACKED[int(rng.integers(len(TRACKED)))]
        new = draw[name_]()
        if new != now[name_]:
            deal.edits.append((when, name_, new))
            now[name_] = new
    if rng.random() < 0.08:
        deal.removed = int(rng.integers(max([born + 1, *(e[0] + 1 for e in deal.edits)]), GRID + 1))
    return deal


def _amount(rng: np.random.Generator) -> float | None:
    return None if rng.random() < 0.1 else round(float(rng.integers(1, 99_999)) / 100, 2)


def _day(rng: np.random.Generator) -> dt.date | None:
    if rng.random() < 0.1:
        return None
    return (START + dt.timedelta(days=int(rng.integers(0, 50)))).date()


def _touches(rng: np.random.Generator, deals: list[Row]) -> pd.DataFrame:
    rows = []
    for i in range(len(deals) * 2):
        deal = deals[int(rng.integers(len(deals)))]
        step = int(rng.integers(deal.born, GRID))
        late = step + int(rng.integers(0, 6))
        rows.append({"id": f"t{i:03d}", "kind": "call", "direction": "two_way",
                     "opportunity_id": deal.id, "user_id": PEOPLE[int(rng.integers(6))],
                     "occurred_at": at(step), "logged_at": at(late)})  # fmt: skip
    return pd.DataFrame(rows)


def book_of(tables: Mapping[str, pa.Table], settings: Settings | None = None) -> Book:
    """Open tables in memory as a book."""
    con = remembering(ibis.duckdb.connect())
    con.raw_sql("SET TimeZone = 'UTC'")
    raw = {name: con.create_table(name, rows) for name, rows in tables.items()}
    return Book.of(assemble(raw, settings or Settings.default(), "test", copied=True))


def rows_of(table: ibis.Table, *, without: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a table in an order and form in which two of them can be compared."""
    frame = table.to_pandas().drop(columns=list(without), errors="ignore")
    frame = frame.reindex(columns=sorted(frame.columns)).astype(object)
    frame = frame.where(frame.notna(), None)
    key = [c for c in ("on", "id", "entity_id", "seq") if c in frame]
    return frame.sort_values(key, ignore_index=True) if key else frame
