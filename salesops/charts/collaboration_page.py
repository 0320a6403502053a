"""The words of the collaboration page: verdict and exhibits, made of the frames."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from salesops.charts import collaboration as pictures
from salesops.charts.collaboration_tables import (
    FEW,
    Later,
    gaps_table,
    levels_frame,
    parties_table,
    table,
    worded,
)
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.seen import SeenBase
from salesops.charts.table import TableView

LINES = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(SeenBase):
    """What the page speaks of: numbers by name, frames, findings, tolerated multiple of leads."""

    handovers: pd.DataFrame
    stranded: pd.DataFrame
    load: pd.DataFrame
    levels: pd.DataFrame
    gaps: pd.DataFrame
    ramp: pd.DataFrame
    held: pd.DataFrame
    shared: pd.DataFrame
    tolerated: float


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say in one sentence where work falls between people."""
    left, claims, slow = (seen.found(c) for c in ("left_behind", "empty_claims", "weekend_leads"))
    clauses = []
    if left is not None:
        code = "collaboration.verdict_left" if left.at_stake else "collaboration.verdict_left_n"
        clauses.append(Say(code, dict(left.evidence)))
    if claims is not None:
        told = {name: seen.count(name) for name in ("n_cold", "n_claims", "n_claimers")}
        clauses.append(Say("collaboration.verdict_claims", told))
    if slow is not None:
        clauses.append(Say("collaboration.verdict_slow", dict(slow.evidence)))
    if clauses:
        return tuple(clauses[:LINES])
    if seen.number("n_handed") > 0:
        counts = {"n": seen.count("n_handed"), "n_late": seen.count("n_late"),
                  "norm": seen.settings.norms.handover_days}  # fmt: skip
        return (Say("collaboration.verdict_fine", counts),)
    if len(seen.held):
        return (_most_held("collaboration.verdict_held", seen),)
    return (Say("collaboration.verdict_nothing", {"n": seen.count("n_open")}),)


def _most_held(code: str, seen: Seen) -> Say:
    first = seen.held.iloc[0]
    return Say(code, {"who": str(first["owner"]), "n": int(first["n_deals"]),
                      "n_open": seen.count("n_open"), "people": len(seen.held)})  # fmt: skip


def exhibits(seen: Seen, behind: Callable[[str], Part]) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known; without a log by counts and lists."""
    found: dict[str, Exhibit | None] = {}
    if len(seen.handovers):
        found["handovers"] = _handovers(seen, behind("handover_within_1d"))
    else:
        found["handovers"] = _held(seen)
    found["stranded"] = _stranded(seen) if len(seen.stranded) else _shared(seen)
    found["load"] = _load(seen)
    found["levels"] = _levels(seen, behind("response_within_24h"))
    found["raci"] = _raci(seen)
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _handovers(seen: Seen, behind: Part) -> Exhibit:
    norm = seen.settings.norms.handover_days
    told = {"n": seen.count("n_handed"), "n_late": seen.count("n_late"), "norm": norm,
            "share": seen.number("late_share"), "prior": seen.number("prior_late_share"),
            "days": seen.number("gap_days")}  # fmt: skip
    known = not math.isnan(told["prior"])
    few = told["n"] < seen.settings.norms.too_few
    is_bad = seen.found("left_behind") is not None
    return Exhibit(
        key="handovers", span=2, behind=behind,
        title=Say("collaboration.title_handed_n" if few else "collaboration.title_handed", told),
        sub=Say("collaboration.sub_handed" if known else "collaboration.sub_handed_new", told),
        note=Say("collaboration.note_handed", {"norm": norm}),
        draw=lambda width: pictures.late_handovers_figure(
            seen.handovers, width, is_bad=is_bad),
    )  # fmt: skip


def _held(seen: Seen) -> Exhibit | None:
    if seen.held.empty:
        return None
    columns = {"owner": "text", "n_deals": "count", "amount": "money", "n_overdue": "count"}
    view = table(seen.held, "held", columns, most=FEW)
    return Exhibit(key="handovers", title=_most_held("collaboration.title_held", seen),
                   table=_view(view), note=Say("collaboration.note_held"),
                   sensitivity="manager")  # fmt: skip


def _view(view: object) -> TableView:
    assert isinstance(view, TableView)  # an exhibit is made only where there are rows
    return view


def _stranded(seen: Seen) -> Exhibit:
    left = seen.found("left_behind")
    told = {"n": len(seen.stranded), "n_deals": seen.count("left_deals"),
            "n_late": seen.count("left_late"), "amount": seen.number("left_amount"),
            "n_open": seen.count("left_open")}  # fmt: skip
    title = (Say("collaboration.title_left", dict(left.evidence)) if left is not None
             else Say("collaboration.title_left_fine", told))  # fmt: skip
    columns = {"name": "text", "left_on": "short_date", "n_late": "count", "n_accounts": "count",
               "amount": "money"}  # fmt: skip
    return Exhibit(
        key="stranded", title=title, sub=Say("collaboration.sub_left", told),
        table=_view(table(seen.stranded, "left", columns, most=5)),
        note=Say("collaboration.note_left", {"norm": seen.settings.norms.handover_days}),
    )  # fmt: skip


def _shared(seen: Seen) -> Exhibit | None:
    if seen.shared.empty:
        return None
    first = seen.shared.iloc[0]
    columns = {"customer": "text", "n_people": "count", "n_deals": "count", "n_open": "count"}
    title = Say("collaboration.title_shared", {
        "n": len(seen.shared), "customer": str(first["customer"]),
        "n_people": int(first["n_people"])})  # fmt: skip
    view = _view(table(seen.shared, "shared", columns, most=FEW))
    return Exhibit(key="stranded", title=title, table=view, note=Say("collaboration.note_shared"))


def _load(seen: Seen) -> Exhibit | None:
    if seen.load.empty:
        return None
    spread = seen.load.dropna(subset=["most_times"])
    if len(spread):
        row = spread.loc[spread["most_times"].idxmax()]
        uneven = next((f for f in seen.findings if f.code == "collaboration.uneven_leads"), None)
        times = float(row["most_times"])
        told = {"times": times, "team": row["team"] or "collaboration.all"}
        code = (
            "collaboration.title_even" if times <= seen.tolerated else "collaboration.title_busiest"
        )
        title = Say("collaboration.title_uneven" if uneven else code, told)
    else:
        sums = seen.load[["n_open", "people"]].sum()
        told = {"n": int(sums["n_open"]), "people": int(sums["people"])}
        title = Say("collaboration.title_load", told)
    hours = {"assign": seen.number("assign_hours"), "accept": seen.number("accept_hours")}
    known = not any(math.isnan(value) for value in hours.values())
    columns = {"team": "text", "people": "count", "open_each": "decimal", "leads_each": "decimal",
               "most_times": "times"}  # fmt: skip
    return Exhibit(
        key="load", title=title, sub=Say("collaboration.sub_load", hours) if known else None,
        table=_view(table(_named(seen.load), "load", columns, most=FEW)),
        note=Say("collaboration.note_load"),
    )  # fmt: skip


def _named(load: pd.DataFrame) -> pd.DataFrame:
    """Leave the name of the one team out where there are none."""
    return load.assign(team=[team or "—" for team in load["team"]])


def _levels(seen: Seen, behind: Part) -> Exhibit | None:
    if seen.levels.empty:
        return None
    known = seen.levels.dropna(subset=["kept_share"])
    frame = levels_frame(seen.levels)
    firm = known[known["n"] >= seen.settings.norms.too_few]
    if known.empty:
        title = Say("collaboration.title_levels_blind", {"n": len(seen.levels)})
    elif firm.empty:
        title = Say("collaboration.title_levels_few", {"n": int(known["n"].sum())})
    else:
        row = firm.loc[firm["kept_share"].idxmin()]
        level = worded(f"level.{row['what']}", str(row["what"]))
        title = Say("collaboration.title_levels", {
            "level": level, "share": float(row["kept_share"]),
            "hours": float(row["limit_hours"])})  # fmt: skip
    unknown = len(seen.levels) - len(known)
    columns = {"promise": "cause", "limit_hours": "count", "kept": "ratio", "before": "ratio",
               "n": "count"}  # fmt: skip
    told = {"n": len(known), "unknown": unknown}
    sub = Say("collaboration.sub_levels", told) if len(known) else None
    return Exhibit(
        key="levels", title=title, sub=sub, note=Say("collaboration.note_levels"),
        table=_view(table(frame, "levels", columns, most=FEW)),
        behind=behind if len(known) else None,
    )  # fmt: skip


def _raci(seen: Seen) -> Exhibit | None:
    n, duties = len(seen.gaps), seen.count("n_duties")
    has_ramp = not math.isnan(seen.number("ramp_n"))
    if not n and not duties and not has_ramp:
        return None
    code = "collaboration.title_raci" if n else "collaboration.title_raci_fine"
    if not n and not duties:
        code = "collaboration.title_ramp_only"
    told: dict[str, object] = {"n": n, "n_duties": duties, "share": seen.number("ramp_share")}
    if n:
        first = seen.gaps.iloc[0]
        if first["gap"] == "role_empty":
            code = "collaboration.title_raci_roles"
            told["role"] = first["role"]
        else:
            told["duty"] = worded(f"raci.{first['duty']}", str(first["duty"]))
            told["gap"] = f"raci_gap.{first['gap']}"
    if not has_ramp:
        view = Later(lambda: gaps_table(seen.gaps) if n else parties_table(seen.settings))
        return Exhibit(key="raci", title=Say(code, told), table=view)
    sub = Say("collaboration.sub_ramp", {
        "share": seen.number("ramp_share"), "month": seen.number("ramp_month"),
        "n": seen.count("ramp_n")})  # fmt: skip
    return Exhibit(
        key="raci", title=Say(code, told), sub=sub, note=Say("collaboration.note_ramp"),
        draw=lambda width: pictures.ramp_figure(seen.ramp, width),
    )  # fmt: skip
