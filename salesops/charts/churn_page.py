"""The words of the churn page: verdict, exhibits and tables, made of the frames."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from salesops.charts import churn as pictures
from salesops.charts.because import BecauseTable
from salesops.charts.detail import Sentence
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.parts import Shown
from salesops.charts.process_design import said
from salesops.charts.scored_page import Scored, meaning
from salesops.charts.seen import SeenBase
from salesops.charts.table import TableView

FIRST, REASONS, LINES = 6, 5, 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(SeenBase):
    """What the page speaks of: the result's frames, its numbers by name, and what held.

    `by_contract` says whether customers have contracts that recur; else they order and order again.
    """

    by_contract: bool
    due: pd.DataFrame
    rates: pd.DataFrame
    risk: pd.DataFrame
    unopened: pd.DataFrame
    lost: pd.DataFrame
    scored: Scored


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say what falls due, what of it is expected to stay, and whom to see first."""
    if not seen.by_contract:
        if not seen.number("n_customers") > 0:
            return (Say("churn.verdict_none"),)
        fields = {"n": seen.count("n_customers"), "expected": seen.number("expected_back")}
        return (Say("churn.verdict_orders", fields),)
    if not seen.number("n_due") > 0:
        return (Say("churn.verdict_none_due"),)
    clauses = [Say("churn.verdict", {
        "due": seen.number("due"), "n": seen.count("n_due"), "expected": seen.number("expected"),
        "low": seen.number("expected_low"), "high": seen.number("expected_high")})]  # fmt: skip
    if seen.number("n_unopened") > 0:
        clauses.append(Say("churn.verdict_unopened", {
            "n": seen.count("n_unopened"), "money": seen.number("unopened_money")}))  # fmt: skip
    return tuple(clauses)


def exhibits(seen: Seen, behind: Callable[[str], Part]) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known."""
    found = {
        "due": _due(seen), "rates": _rates(seen, behind), "lost": _lost(seen),
        "risk": _risk(seen), "unopened": _unopened(seen),
    }  # fmt: skip
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _due(seen: Seen) -> Exhibit | None:
    if seen.due.empty:
        return None
    names = {"due": "due", "expected": "expected", "low": "expected_low", "high": "expected_high"}
    fields = {k: seen.number(name) for k, name in names.items()}
    return Exhibit(
        key="due", title=Say("churn.title_due", {**fields, "n": seen.count("n_due")}),
        sub=Say("churn.sub_due", fields), note=Say("churn.note_due"),
        draw=lambda width: pictures.due_figure(seen.due, width),
    )  # fmt: skip


def _rates(seen: Seen, behind: Callable[[str], Part]) -> Exhibit | None:
    known = seen.rates.dropna(subset=["value"])
    if known.empty:
        return None
    at = known.set_index("rate")["value"]
    fields = {"nrr": float(at.get("nrr", math.nan)), "grr": float(at.get("grr", math.nan)),
              "renewed": float(at.get("renewal_rate", math.nan))}  # fmt: skip
    code = "churn.title_rates" if "nrr" in at else "churn.title_rates_renewed"
    return Exhibit(key="rates", title=Say(code, fields), behind=behind("nrr"),
                   note=Say("churn.note_rates"),
                   draw=lambda width: pictures.rates_figure(seen.rates, width))  # fmt: skip


def _lost(seen: Seen) -> Exhibit | None:
    if seen.lost.empty:
        return None
    fields = {"money": float(seen.lost["money"].sum()), "n": int(seen.lost["n"].sum()),
              "reason": str(seen.lost.iloc[0]["reason"])}  # fmt: skip
    return Exhibit(key="lost", title=Say("churn.title_lost", fields), note=Say("churn.note_lost"),
                   draw=lambda width: pictures.lost_figure(seen.lost.head(REASONS), width),
                   )  # fmt: skip


def _risk(seen: Seen) -> Exhibit | None:
    if seen.risk.empty:
        return None
    first = seen.risk.head(FIRST)
    fields = {"n": len(first), "money": float(first["money"].sum()),
              "loss": float((first["money"] * first["leaves"]).sum())}  # fmt: skip
    code = "churn.title_risk" if seen.by_contract else "churn.title_risk_orders"
    if seen.by_contract and seen.scored.kind == "base":
        code = "churn.title_risk_plain"
    brief = first.assign(because=[told[:1] for told in first["because"]])
    return Exhibit(key="risk", title=Say(code, fields), span=2, sub=meaning(seen.scored),
                   table=_listed(brief, FIRST, by_contract=seen.by_contract))  # fmt: skip


def _unopened(seen: Seen) -> Exhibit | None:
    if not seen.by_contract or not seen.number("n_soon") > 0:
        return None
    fields = {"n": seen.count("n_unopened"), "n_soon": seen.count("n_soon"),
              "money": seen.number("unopened_money")}  # fmt: skip
    if seen.unopened.empty:
        return Exhibit(key="unopened", title=Say("churn.title_unopened_none", fields),
                       table=Sentence("churn.unopened_none"))  # fmt: skip
    columns = {"customer": "text", "money": "money", "ends_on": "date"}
    return Exhibit(key="unopened", title=Say("churn.title_unopened", fields),
                   table=TableView(frame=seen.unopened, columns=columns, most=5,
                                   caption=Say("churn.unopened_caption")))  # fmt: skip


def _listed(risk: pd.DataFrame, most: int, *, by_contract: bool) -> BecauseTable:
    columns = {"customer": "text", "owner": "text", "money": "money", "ends_on": "date",
               "leaves": "ratio", "because": "text"}  # fmt: skip
    if not by_contract:
        columns = {"customer": "text", "owner": "text", "money": "money", "leaves": "ratio",
                   "because": "text"}  # fmt: skip
    return BecauseTable(stem="churn", frame=risk, columns=columns, most=most,
                        caption=Say("churn.risk_caption"),
                        optional=frozenset({"ends_on"}))  # fmt: skip


def risk_table(risk: pd.DataFrame, *, by_contract: bool) -> TableView | Shown:
    """Give everybody at risk, most money likely to go first."""
    if risk.empty:
        return said("churn.risk_none")
    return _listed(risk, LINES, by_contract=by_contract)


def unopened_table(unopened: pd.DataFrame) -> TableView | Shown:
    """Give the contracts that end soon and whose renewal nobody has opened."""
    if unopened.empty:
        return said("churn.unopened_none")
    columns = {"customer": "text", "owner": "text", "money": "money", "ends_on": "date",
               "leaves": "ratio"}  # fmt: skip
    return TableView(frame=unopened, columns=columns, most=LINES,
                     caption=Say("churn.unopened_caption"))  # fmt: skip
