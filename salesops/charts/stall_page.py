"""The words of the stall page: verdict, exhibits and tables, made of the frames."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from salesops.charts import stall as pictures
from salesops.charts.because import BecauseTable
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.parts import Shown
from salesops.charts.process_design import said
from salesops.charts.scored_page import Scored, meaning
from salesops.charts.seen import SeenBase
from salesops.charts.table import TableView

FIRST, REASONS, LINES = 4, 5, 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(SeenBase):
    """What the page speaks of: the result's frames, its numbers by name, and what held."""

    teams: pd.DataFrame
    week: pd.DataFrame
    why: pd.DataFrame
    silent: pd.DataFrame
    last: pd.DataFrame
    scored: Scored
    effect: dict[str, float]


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say how much stands still, and where this week's list begins."""
    if not seen.number("n_open") > 0:
        return (Say("stall.verdict_none"),)
    clauses = []
    if not math.isnan(seen.number("stalled_share")):
        clauses.append(Say("stall.verdict", {
            "money": seen.number("stalled_money"), "share": seen.number("stalled_share"),
            "n": seen.count("n_stalled")}))  # fmt: skip
    shown = seen.week[~seen.week["is_held_out"]] if len(seen.week) else seen.week
    if len(shown):
        first = shown.iloc[0]
        clauses.append(Say("stall.verdict_list", {
            "n": len(shown), "money": float(shown["money"].sum()), "owner": first["owner"],
            "deal": first["name"]}))  # fmt: skip
    return tuple(clauses) or (Say("stall.verdict_open", {"n": seen.count("n_open")}),)


def exhibits(seen: Seen, behind: Callable[[str], Part]) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known."""
    found = {
        "stalled": _stalled(seen, behind), "why": _why(seen), "silent": _silent(seen),
        "week": _week(seen), "last": _last(seen),
    }  # fmt: skip
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _stalled(seen: Seen, behind: Callable[[str], Part]) -> Exhibit | None:
    if seen.teams.empty:
        return None
    fields = {"money": seen.number("stalled_money"), "share": seen.number("stalled_share"),
              "prior": seen.number("prior_share"), "n": seen.count("n_stalled"),
              "n_open": seen.count("n_open")}  # fmt: skip
    return Exhibit(
        key="stalled", title=Say("stall.title_stalled", fields), behind=behind("stalled"),
        sub=Say("stall.sub_stalled", fields) if fields["prior"] == fields["prior"] else None,
        note=Say("stall.note_stalled"),
        draw=lambda width: pictures.by_team_figure(seen.teams, width),
    )  # fmt: skip


def _week(seen: Seen) -> Exhibit | None:
    shown = seen.week[~seen.week["is_held_out"]] if len(seen.week) else seen.week
    if shown.empty:
        return None
    fields = {"first": min(FIRST, len(shown)), "n": len(shown),
              "money": float(shown["money"].sum())}  # fmt: skip
    code = "stall.title_week" if seen.scored.kind != "base" else "stall.title_week_rule"
    return Exhibit(key="week", title=Say(code, fields), span=2, sub=meaning(seen.scored),
                   table=_listed(_brief(shown.head(FIRST)), FIRST, seen.scored.kind))  # fmt: skip


def _brief(week: pd.DataFrame) -> pd.DataFrame:
    """Leave out what page one has no room for: the stage, and all reasons but the first."""
    return week.assign(because=[told[:1] for told in week["because"]]).drop(columns="stage")


def _why(seen: Seen) -> Exhibit | None:
    if seen.why.empty:
        return None
    first = seen.why.iloc[0]
    fields = {"reason": f"stall.why_{first['reason']}", "money": float(first["money"]),
              "n": int(first["n"])}  # fmt: skip
    return Exhibit(key="why", title=Say("stall.title_why", fields), note=Say("stall.note_why"),
                   draw=lambda width: pictures.why_figure(seen.why.head(REASONS), width),
                   )  # fmt: skip


def _silent(seen: Seen) -> Exhibit | None:
    if seen.silent.empty:
        return None
    over = seen.silent.assign(times=seen.silent["middle_days"] / seen.silent["touch_days"])
    worst = over.sort_values("times", ascending=False).iloc[0]
    fields = {"stage": worst["stage"], "days": float(worst["middle_days"]),
              "norm": float(worst["touch_days"])}  # fmt: skip
    return Exhibit(key="silent", title=Say("stall.title_silent", fields),
                   note=Say("stall.note_silent"),
                   draw=lambda width: pictures.silent_figure(seen.silent, width))  # fmt: skip


def _last(seen: Seen) -> Exhibit | None:
    if seen.last.empty:
        return None
    sums = _outcomes(seen.last)
    at = sums.set_index("outcome")["n"]
    fields = {"n": int(at.sum()), "moved": int(at["moved"]), "nothing": int(at["nothing"])}
    told = seen.effect
    note = Say("stall.note_effect", told) if told else Say("stall.note_last")
    return Exhibit(key="last", title=Say("stall.title_last", fields), note=note,
                   draw=lambda width: pictures.became_figure(sums, width))  # fmt: skip


def _outcomes(last: pd.DataFrame) -> pd.DataFrame:
    """Count last week's deals by what happened."""
    sums = last.groupby("outcome")["money"].agg(n="size", money="sum")
    return sums.reindex(list(pictures.OUTCOMES), fill_value=0).rename_axis("outcome").reset_index()


def _listed(week: pd.DataFrame, most: int, kind: str) -> BecauseTable:
    columns = {"deal": "text", "owner": "text", "stage": "stage", "money": "money",
               "stuck": "ratio", "days_to_half": "days", "because": "text"}  # fmt: skip
    if kind == "base":
        del columns["stuck"], columns["days_to_half"]
    frame = week.rename(columns={"name": "deal", "days": "days_to_half"})
    shown = {c: k for c, k in columns.items() if c in frame}
    return BecauseTable(stem="stall", frame=frame, columns=shown, most=most,
                        caption=Say("stall.list_caption"),
                        optional=frozenset({"stage", "days_to_half"}))  # fmt: skip


def list_table(week: pd.DataFrame, kind: str) -> TableView | Shown:
    """Give this week's list of everybody, ten a person."""
    shown = week[~week["is_held_out"]] if len(week) else week
    if shown.empty:
        return said("stall.list_none")
    order = shown.sort_values(["team", "owner", "rank"], kind="stable")
    return _listed(order, LINES, kind)


def last_table(last: pd.DataFrame) -> TableView | Shown:
    """Give last week's list with what happened to each deal."""
    if last.empty:
        return said("stall.last_none")
    frame = last.rename(columns={"name": "deal"})
    frame = frame.assign(outcome="stall.outcome_" + frame["outcome"])
    frame = frame.sort_values(["team", "owner", "rank"], kind="stable")
    columns = {"deal": "text", "owner": "text", "team": "text", "money": "money",
               "outcome": "label"}  # fmt: skip
    return TableView(frame=frame, columns=columns, most=LINES, caption=Say("stall.last_caption"),
                     optional=frozenset({"team"}))  # fmt: skip
