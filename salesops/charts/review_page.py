"""The words of the review page: verdict, exhibits and tables, made of the frames."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesops.charts import review as pictures
from salesops.charts.changed import recorded
from salesops.charts.collaboration_tables import Later
from salesops.charts.detail import Sentence
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.parts import Shown
from salesops.charts.process_design import said
from salesops.charts.seen import SeenBase
from salesops.charts.table import TableView
from salesops.wording import label, listed
from salesops.wording.catalogue import FORMATS, entries
from salesops.wording.findings import say_reason

FIRST, LINES = 5, 60
_CHANGES = {"ratio": "exact_points", "money": "money_change"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(SeenBase):
    """What the page speaks of: the result's frames, its numbers by name, and what held."""

    actions: pd.DataFrame
    effects: pd.DataFrame
    forecasts: pd.DataFrame
    returning: pd.DataFrame
    agenda: pd.DataFrame


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say what was done, and what it did."""
    if seen.actions.empty:
        return (Say("review.verdict_none"),)
    told = {name: seen.count(f"n_{name}") for name in ("done", "late", "open", "dropped")}
    clauses = [Say("review.verdict_states", {**told, "n": len(seen.actions)})]
    if len(seen.effects):
        tried = {name: seen.count(f"n_{name}") for name in ("worked", "did_not", "not_enough")}
        clauses.append(Say("review.verdict_effects", {**tried, "n": len(seen.effects)}))
    return tuple(clauses)


def exhibits(seen: Seen, behind: Callable[[str], Part]) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known."""
    found = {
        "effects": _effects(seen), "states": _states(seen),
        "forecasts": _forecasts(seen, behind), "agenda": _agenda(seen),
        "returning": _returning(seen),
    }  # fmt: skip
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _effects(seen: Seen) -> Exhibit | None:
    if seen.effects.empty:
        return None
    tried = {name: seen.count(f"n_{name}") for name in ("worked", "did_not", "not_enough")}
    return Exhibit(
        key="effects", title=Say("review.title_effects", {**tried, "n": len(seen.effects)}),
        span=2, table=Later(lambda: effects_table(seen.effects, FIRST)),
        note=Say("review.note_effects"),
    )  # fmt: skip


def change(metric_unit: str, value: float) -> str:
    """Write a change of a metric in its unit, with its sign."""
    if math.isinf(value):
        return "−∞" if value < 0 else "∞"
    kind = _CHANGES.get(metric_unit, metric_unit)
    text = FORMATS[kind](value)
    return f"+{text}" if value > 0 and not text.startswith("+") else text


def effects_table(effects: pd.DataFrame, most: int = LINES) -> TableView | Shown:
    """Give what was tried, what was hoped for and found, and the verdict with its reasons."""
    if effects.empty:
        return said("review.effects_none")
    rows = [_told(row) for row in effects.to_dict("records")]
    columns = {"tried": "text", "metric": "text", "hoped": "text", "effect": "text",
               "plain": "text", "verdict": "text"}  # fmt: skip
    return TableView(frame=pd.DataFrame(rows), columns=columns, most=most,
                     caption=Say("review.effects_caption"),
                     optional=frozenset({"metric", "hoped", "plain"}),
                     wrapped=frozenset({"tried", "metric", "effect", "verdict"}))  # fmt: skip


def _told(row: dict[Any, Any]) -> dict[str, str]:
    unit, name, hoped = row["unit"], f"metric.{row['metric']}", row["expected"]
    effect = "—"
    if row["estimate"] == row["estimate"]:
        told = {"value": change(unit, row["estimate"])}
        effect = Say("review.effect_unbounded", told).text()
        if math.isfinite(row["low"]) and math.isfinite(row["high"]):
            bounds = {"low": change(unit, row["low"]), "high": change(unit, row["high"])}
            effect = Say("review.effect", {**told, **bounds}).text()
    plain = row["before_after"]
    return {
        "tried": Say("review.tried", {
            "what": row["note"] or listed(row["ids"]),
            "whose": listed([_whose(scope) for scope in row["scopes"]])}).text(),
        "metric": label(name) if name in entries() else "—",
        "hoped": change(unit, hoped) if hoped == hoped else "—",
        "effect": effect,
        "plain": change(unit, plain) if plain == plain else "—",
        "verdict": label(f"review.said_{row['verdict']}") + _why(row),
    }  # fmt: skip


def _whose(scope: str) -> str:
    kind, _colon, name = scope.partition(":")
    return name if name else label("review.whole") if kind == "company" else kind


def _why(row: dict[Any, Any]) -> str:
    """Say the first reasons why not more is said."""
    if row["reason"]:
        code = f"review.why_{row['reason']}"
        text = label(code) if code in entries() else say_reason(row["reason"], row["needs"])
        return label("review.because") + text
    if row["verdict"] == "worked" or not row["reasons"]:
        return ""
    told = [label(f"review.why_{reason}") for reason in row["reasons"][:2]]
    text = label("review.because") + listed(told)
    seen_from = row["detectable"]
    if row["verdict"] == "not_enough" and math.isfinite(seen_from):
        text += label("review.and") + Say("review.detectable", {
            "size": change(row["unit"], seen_from).removeprefix("+")}).text()  # fmt: skip
    return text


def _states(seen: Seen) -> Exhibit | None:
    if seen.actions.empty:
        return None
    told = {name: seen.count(f"n_{name}") for name in ("done", "late", "open", "dropped")}
    counts = seen.actions["state"].value_counts()
    frame = pd.DataFrame({"state": list(told), "n": [int(counts.get(s, 0)) for s in told]})
    late = seen.actions[seen.actions["state"] == "late"]
    table = _listed(late, 3) if len(late) else Sentence("review.late_none")
    return Exhibit(
        key="states", title=Say("review.title_states", {**told, "n": len(seen.actions)}),
        draw=lambda width: pictures.states_figure(frame, width), table=table,
    )  # fmt: skip


def _forecasts(seen: Seen, behind: Callable[[str], Part]) -> Exhibit | None:
    if seen.forecasts.empty:
        return None
    fields = {name: seen.number(name) for name in ("error", "year_error", "bias")}
    fields["n"] = len(seen.forecasts)
    code = "review.title_forecasts_low" if fields["bias"] < 0 else "review.title_forecasts_high"
    if math.isnan(fields["error"]):
        return None
    known = not math.isnan(fields["year_error"])
    return Exhibit(
        key="forecasts", title=Say(code, {**fields, "bias": abs(fields["bias"])}),
        sub=Say("review.sub_forecasts" if known else "review.sub_forecasts_new", fields),
        note=Say("review.note_forecasts"), behind=behind("bookings"),
        draw=lambda width: pictures.forecasts_figure(seen.forecasts, width),
    )  # fmt: skip


def _returning(seen: Seen) -> Exhibit | None:
    if math.isnan(seen.number("n_runs")):
        return None
    fields = {"n": len(seen.returning), "n_runs": seen.count("n_runs")}
    if seen.returning.empty:
        return Exhibit(key="returning",
                       title=Say("review.title_returning_none", {"n": fields["n_runs"]}),
                       table=Sentence("review.returning_none"))  # fmt: skip
    return Exhibit(key="returning", title=Say("review.title_returning", fields),
                   table=Later(lambda: returning_table(seen.returning, FIRST)))  # fmt: skip


def returning_table(returning: pd.DataFrame, most: int = LINES) -> TableView | Shown:
    """Give the findings that were gone and are back."""
    if returning.empty:
        return said("review.returning_none")
    frame = returning.assign(stands_out=[recorded(row.code, row.evidence)
                                         for row in returning.itertuples()])  # fmt: skip
    columns = {"stands_out": "text", "n_dates": "count", "gone_on": "short_date",
               "back_on": "short_date"}  # fmt: skip
    return TableView(frame=frame, columns=columns, most=most,
                     caption=Say("review.returning_caption"),
                     wrapped=frozenset({"stands_out"}))  # fmt: skip


def _agenda(seen: Seen) -> Exhibit | None:
    if seen.agenda.empty:
        return None
    minutes = int(seen.agenda["minutes"].sum())
    return Exhibit(
        key="agenda", title=Say("review.title_agenda", {"minutes": minutes}), span=2,
        table=Later(lambda: agenda_table(seen.agenda)), note=Say("review.note_agenda"),
    )  # fmt: skip


def agenda_table(agenda: pd.DataFrame) -> TableView | Shown:
    """Give the points of the meeting, each with what to decide and its minutes."""
    rows = [(label(f"review.point_{row.point}"), _points(row.point, row.what), row.minutes)
            for row in agenda.itertuples()]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["point", "decide", "minutes"])
    return TableView(frame=frame, columns={"point": "text", "decide": "text", "minutes": "count"},
                     caption=Say("review.agenda_caption"),
                     wrapped=frozenset({"decide"}))  # fmt: skip


def _points(point: str, what: Sequence[Any]) -> str:
    shown = [recorded(f"{code}.action", evidence) for code, evidence in what] if (
        point == "findings") else list(what)  # fmt: skip
    return listed(shown) if shown else label(f"review.nothing_{point}")


def _listed(actions: pd.DataFrame, most: int) -> TableView:
    columns = {"note": "text", "owner": "text", "due_by": "short_date"}
    return TableView(
        frame=actions.assign(due_by=actions["due_on"]),
        columns=columns,
        most=most,
        caption=Say("review.late_caption"),
    )


def actions_table(actions: pd.DataFrame) -> TableView | Shown:
    """Give the whole register."""
    if actions.empty:
        return said("review.actions_none")
    frame = actions.assign(kind="review.kind_" + actions["kind"].astype(str),
                           due_by=actions["due_on"],
                           state="review.state_" + actions["state"])  # fmt: skip
    columns = {"id": "text", "kind": "label", "note": "text", "scope": "text", "owner": "text",
               "due_by": "short_date", "done_on": "short_date", "state": "label"}  # fmt: skip
    return TableView(frame=frame, columns=columns, most=LINES,
                     caption=Say("review.actions_caption"),
                     optional=frozenset({"kind", "scope", "done_on"}))  # fmt: skip
