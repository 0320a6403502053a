"""What is true of the generated company: figures and rows by problem, apart from its data.

Rows are all that meet a problem's definition, natural ones included. They are found in the finished
tables, so that they hold whatever the generator meant to do. A target has no id of its own: its row
is named by month, level and key.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from salesops.sample.company import Company
from salesops.sample.deals import LOST, VOID, WON
from salesops.sample.finders import FINDERS, Facts
from salesops.sample.log import History
from salesops.sample.tables import ids
from salesops.sample.timeline import DAY, date_of

# Problems that turn wins into losses.
COSTLY = ("P5", "P7", "P10")


@dataclass(frozen=True, eq=False)
class Truth:
    """Figures of each problem, and the rows that meet its definition.

    Attributes
    ----------
    figures
        Problem -> name -> value, the planted size among them.
    rows
        Problem -> one row per table row: `table`, `id`.
    pairs
        Labelled pairs of accounts: `account`, `other`, `kind`, `duplicate`, `two_owners`.
    future
        How the deals end that are open on the last day, renewals apart: `id`, `outcome` (`won`,
        `lost` or `void`), `closed_on`.
    """

    figures: dict[str, dict[str, Any]]
    rows: dict[str, pd.DataFrame] = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)
    future: pd.DataFrame = field(repr=False)

    def files(self) -> dict[str, str]:
        """Give the truth as texts by file name."""
        found = {"problems.json": json.dumps(self.figures, ensure_ascii=False, indent=1) + "\n"}
        rows = [frame.assign(problem=name) for name, frame in self.rows.items() if len(frame)]
        if rows:
            whole = pd.concat(rows, ignore_index=True)[["problem", "table", "id"]]
            found["rows.csv"] = whole.to_csv(index=False, lineterminator="\n")
        for name in ("pairs", "future"):
            found[f"{name}.csv"] = getattr(self, name).to_csv(index=False, lineterminator="\n")
        return found


def find_truth(company: Company, tables: Mapping[str, pa.Table], told: Sequence[History]) -> Truth:
    """Find every problem's rows in the finished tables."""
    wanted = ("opportunities", "activities", "leads", "contracts", "targets", "accounts", "users")
    frames = {name: tables[name].to_pandas() for name in wanted}
    facts = Facts(company, frames, frames["opportunities"], {h.field: h for h in told})
    figures: dict[str, dict[str, Any]] = {}
    rows: dict[str, pd.DataFrame] = {}
    for name, find in FINDERS.items():
        found, keyed = find(facts)
        figures[name] = {"size": company.options.size(name), **found}
        if name in COSTLY:
            figures[name] |= _open_money(facts, keyed.get("opportunities", ()), name)
        rows[name] = pd.concat(
            [pd.DataFrame({"table": table, "id": sorted(some)}) for table, some in keyed.items()]
            or [pd.DataFrame(columns=["table", "id"])],
            ignore_index=True,
        )
    return Truth(figures, rows, _pairs(company), _future(company, facts))


def _open_money(facts: Facts, rows: Sequence[str], problem: str) -> dict[str, Any]:
    """Count the open deals of a problem, and those of them that only the problem will lose."""
    mine = facts.is_open & facts.deals["id"].isin(rows)
    source = facts.company["deals"]
    costs = np.flatnonzero((source["lost_to"] == problem).to_numpy())
    lost = mine & facts.deals["id"].isin(
        ids("opportunities", costs, facts.company.block).to_pylist()
    )
    amount = facts.deals["amount"].astype(float)
    return {
        "open": int(mine.sum()), "open_amount": round(float(amount[mine].sum()), 2),
        "open_lost": int(lost.sum()), "open_lost_amount": round(float(amount[lost].sum()), 2),
    }  # fmt: skip


def _future(company: Company, facts: Facts) -> pd.DataFrame:
    deals = company["deals"]
    closed = deals["closed"].to_numpy()
    frame = pd.DataFrame({
        "id": ids("opportunities", np.arange(len(deals)), company.block).to_pylist(),
        "outcome": deals["outcome"].map({WON: "won", LOST: "lost", VOID: "void"}),
        "closed_on": [date_of(day) for day in (closed // DAY).tolist()],
    })  # fmt: skip
    return frame[frame["id"].isin(facts.open_deals["id"])].reset_index(drop=True)


def _pairs(company: Company) -> pd.DataFrame:
    columns = ["account", "other", "kind", "duplicate", "two_owners"]
    pairs = pd.DataFrame(company.facts["P6"]["pairs"], columns=columns)
    for side in ("account", "other"):
        names = ids("accounts", pairs[side].to_numpy(np.int64), company.block)
        pairs[side] = names.to_pylist()
    return pairs
