"""How good the chances of a report are: the sentence that says what 0.7 means, and the tables."""

from dataclasses import dataclass

import pandas as pd

from salesops.charts import detail
from salesops.charts import stall as pictures
from salesops.charts.exhibit import Exhibit, Say
from salesops.charts.parts import Shown
from salesops.charts.process_design import said
from salesops.charts.table import TableView


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """How chances were judged.

    Attributes
    ----------
    what
        Stem of the words: `stall` or `churn`.
    measures, bins, lifts, top, groups, origins, costs, leaks
        As `methods.scored` and `methods.leakage` give them; groups with `group`, origins with
        `origin`.
    example
        Of past rows to which about 0.7 was said: `said`, `n`, and shares by what became of them.
    kind
        Which way to say chances is used.
    gains
        AUC over each simpler way: `over`, `gain`, `low`, `high`.
    """

    what: str
    measures: pd.DataFrame
    bins: pd.DataFrame
    lifts: pd.DataFrame
    top: pd.DataFrame
    groups: pd.DataFrame
    origins: pd.DataFrame
    costs: pd.DataFrame
    leaks: pd.DataFrame
    gains: pd.DataFrame
    example: dict[str, float]
    kind: str


def meaning(scored: Scored) -> Say:
    """Say in words what a chance means, from what became of those to which it was said."""
    if scored.kind == "base":
        return Say(f"{scored.what}.meaning_none")
    return Say(f"{scored.what}.meaning", scored.example)


def calibration(scored: Scored) -> Shown:
    """Give the picture of what was said against what happened."""
    if scored.bins.empty:
        return said("scored.none")
    exhibit = Exhibit(
        key="calibration", title=meaning(scored), span=2, note=Say("scored.note_calibration"),
        draw=lambda width: pictures.calibration_figure(scored.bins, width),
    )  # fmt: skip
    return detail.in_detail(exhibit)


def tables(scored: Scored) -> Shown:
    """Give the measures, the gain over simpler ways, by origin and group, lift, cost, audit."""
    if scored.measures.empty:
        return said("scored.none")
    parts: list[TableView | Shown] = [_measures(scored), _gains(scored)]
    parts += [_lifts(scored), _top(scored)]
    parts += [_groups(scored.origins, "origin"), _groups(scored.groups, "group")]
    parts += [_costs(scored), _leaks(scored)]
    return detail.together(*parts)


def _measures(scored: Scored) -> TableView:
    frame = scored.measures.assign(measure="scored.measure_" + scored.measures["measure"])
    columns = {"measure": "label", "value": "score3", "low": "score3", "high": "score3",
               "n": "count", "n_units": "count", "n_events": "count"}  # fmt: skip
    return TableView(frame=frame, columns=columns, caption=Say("scored.measures_caption"),
                     optional=frozenset({"n", "n_units", "n_events"}))  # fmt: skip


def _gains(scored: Scored) -> TableView:
    frame = scored.gains.assign(instead_of="scored.kind_" + scored.gains["over"].astype(str))
    columns = {"instead_of": "label", "gain": "score3", "low": "score3", "high": "score3"}
    return TableView(frame=frame, columns=columns, caption=Say("scored.gains_caption", {
        "kind": f"scored.kind_{scored.kind}"}))  # fmt: skip


def _lifts(scored: Scored) -> TableView:
    lifts = scored.lifts
    frame = lifts.assign(hits=lifts["precision"], first=lifts["looked_at"])
    columns = {"first": "ratio", "n": "count", "hits": "ratio", "times": "times",
               "reached": "ratio", "money_reached": "ratio"}  # fmt: skip
    return TableView(frame=frame, columns=columns, caption=Say("scored.lift_caption"),
                     optional=frozenset({"n", "times"}))  # fmt: skip


def _top(scored: Scored) -> TableView:
    columns = {"k": "count", "n": "count", "hits": "ratio", "share_all": "ratio"}
    return TableView(
        frame=scored.top.assign(hits=scored.top["precision"]),
        columns=columns,
        caption=Say("scored.top_caption"),
    )


def _groups(frame: pd.DataFrame, by: str) -> TableView:
    shown = frame.assign(**{by: frame[by].astype(str)}) if by in frame else frame
    columns = {by: "text", "n": "count", "n_units": "count", "said": "ratio", "share": "ratio",
               "auc": "score3", "low": "score3", "high": "score3"}  # fmt: skip
    return TableView(frame=shown, columns=columns, most=40,
                     caption=Say(f"scored.by_{by}_caption"),
                     optional=frozenset({"n_units", "low", "high"}))  # fmt: skip


def _costs(scored: Scored) -> TableView:
    columns = {"threshold": "ratio", "n": "count", "cost": "money", "saved": "money",
               "net": "money"}  # fmt: skip
    return TableView(frame=scored.costs, columns=columns, most=20,
                     caption=Say("scored.costs_caption"))  # fmt: skip


def _leaks(scored: Scored) -> TableView | Shown:
    if scored.leaks.empty:
        return said("scored.leaks_none")
    frame = scored.leaks.assign(leak="scored.leak_" + scored.leaks["why"].astype(str),
                                feature="feature." + scored.leaks["field"].astype(str))  # fmt: skip
    columns = {"feature": "label", "leak": "label", "value": "score3", "n": "count"}
    return TableView(frame=frame, columns=columns, caption=Say("scored.leaks_caption"))
