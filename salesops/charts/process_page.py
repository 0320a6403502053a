"""The words of the process page: verdict and exhibits, made of the frames."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from salesops.charts import process as pictures
from salesops.charts import process_lists as lists
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.process_design import DesignTable
from salesops.charts.seen import SeenBase

FIELDS, LINES = 6, 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(SeenBase):
    """What the page speaks of: frames, and whether a log shows how deals went."""

    is_logged: bool
    design: pd.DataFrame
    nodes: pd.DataFrame
    moves: pd.DataFrame
    deviations: pd.DataFrame
    steps: pd.DataFrame
    skipped: pd.DataFrame
    fields: pd.DataFrame
    late: pd.DataFrame
    bands: pd.DataFrame

    @property
    def worst(self) -> str:
        """The stage whose skipping is the thing to act on, or nothing."""
        found = self.found("skipped_stages")
        return found.subject if found else ""


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say in one sentence how far deals go as drawn, and what to change first."""
    if math.isnan(seen.number("as_drawn_share")):
        counts = {"n_stages": int(seen.number("n_stages")), "n_open": int(seen.number("n_open"))}
        return (Say("process.verdict_blind", counts), *_plain_clause(seen))
    first = _as_drawn(seen)
    skip, idle = seen.found("skipped_stages"), seen.found("idle_steps")
    clauses = []
    if skip is not None:
        known = skip.evidence["won_share"]
        is_known = isinstance(known, float) and known == known
        clauses.append(Say("process.verdict_skip" if is_known else "process.verdict_skip_n",
                           dict(skip.evidence)))  # fmt: skip
    if idle is not None:
        clauses.append(Say("process.verdict_idle", dict(idle.evidence)))
    # Two lines are read; the share as drawn is told below too.
    if len(clauses) == LINES:
        return tuple(clauses)
    return (first, *(clauses or [Say("process.verdict_fine")]))


def _as_drawn(seen: Seen) -> Say:
    n = int(seen.number("n_ways"))
    if n < seen.settings.norms.too_few:
        counts = {"n": n, "n_as_drawn": int(seen.number("n_as_drawn"))}
        return Say("process.verdict_as_drawn_n", counts)
    return Say("process.verdict_as_drawn", {"share": seen.number("as_drawn_share")})


def _plain_clause(seen: Seen) -> tuple[Say, ...]:
    n_late = seen.number("n_late")
    if not n_late > 0:
        return ()
    return (Say("process.verdict_late", {"n": int(n_late), "days": seen.number("drawn_days")}),)


def exhibits(seen: Seen, behind: Callable[[str], Part]) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known; without a log by dates, counts and lists."""
    found: dict[str, Exhibit | None] = {"design": _design(seen)}
    if seen.is_logged and len(seen.moves):
        found["real"] = _real(seen)
    else:
        found["real"] = lists.standing_exhibit(seen.design)
    if seen.is_logged and _told(seen.deviations, "n_past"):
        found["skips"] = _skips(seen)
    else:
        found["skips"] = lists.late_exhibit(seen.late, seen.numbers)
    if seen.is_logged and len(seen.steps):
        found["idle"] = _idle(seen, behind("stage_ageing"))
    else:
        found["idle"] = lists.bands_exhibit(seen.bands, seen.numbers)
    found["fields"] = _fields(seen, behind("entry_rate")) if len(seen.fields) else None
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _told(frame: pd.DataFrame, column: str) -> bool:
    return bool(len(frame)) and float(frame[column].max()) > 0


def _design(seen: Seen) -> Exhibit:
    counts = {name: int(seen.number(name)) for name in
              ("n_stages", "n_roles", "n_no_role", "n_no_exit")}  # fmt: skip
    whole = not counts["n_no_role"] and not counts["n_no_exit"]
    title = Say("process.title_design" if whole else "process.title_design_open", counts)
    stay = seen.number("drawn_days")
    sub = Say("process.sub_design", {"days": stay}) if stay == stay else None
    return Exhibit(key="design", title=title, sub=sub, span=2, table=DesignTable(seen.settings),
                   draw=lambda width: pictures.lanes_figure(seen.design, width))  # fmt: skip


def _real(seen: Seen) -> Exhibit:
    n = int(seen.number("n_ways"))
    counts = {
        "n": n,
        "n_as_drawn": int(seen.number("n_as_drawn")),
        "share": seen.number("as_drawn_share"),
        "prior": seen.number("prior_as_drawn_share"),
    }
    title = Say("process.title_real" if n else "process.title_real_none", counts)
    known = not math.isnan(counts["prior"])
    sub = Say("process.sub_real" if known else "process.sub_real_new", counts)
    return Exhibit(
        key="real", title=title, sub=sub if n else None,
        note=Say("process.note_real"),
        draw=lambda width: pictures.real_figure(seen.nodes, seen.moves, width, worst=seen.worst),
    )  # fmt: skip


def _skips(seen: Seen) -> Exhibit:
    skip, back = seen.found("skipped_stages"), seen.found("back_moves")
    if skip is not None:
        title = Say("process.title_skip", dict(skip.evidence))
    elif back is not None:
        title = Say("process.title_back", dict(back.evidence))
    else:
        title = Say("process.title_skips_fine", {"norm": seen.settings.norms.skip_share})
    counts = {name: int(seen.number(name)) for name in
              ("n_ways", "n_is_skip", "n_is_back")}  # fmt: skip
    return Exhibit(
        key="skips", title=title, sub=Say("process.sub_skips", counts),
        note=Say("process.note_skips", {"too_few": seen.settings.norms.too_few}),
        draw=lambda width: pictures.deviations_figure(
            seen.deviations, width, worst=seen.worst, too_few=seen.settings.norms.too_few),
    )  # fmt: skip


def _idle(seen: Seen, behind: Part) -> Exhibit:
    idle, held = seen.found("idle_steps"), seen.steps.dropna(subset=["held"])
    if idle is not None:
        title = Say("process.title_idle", {
            **idle.evidence, "longer": seen.number("excess_days")})  # fmt: skip
        sub = Say("process.sub_idle", {"days": seen.number("wasted")})
    elif len(held) and held["held"].max() > 0:
        row = held.loc[held["held"].idxmax()]
        title = Say("process.title_held", {"stage": row["stage"], "held": float(row["held"])})
        sub = Say("process.sub_held", {"held": seen.number("held")})
    else:
        row = seen.steps.loc[seen.steps["median_days"].idxmax()]
        title = Say("process.title_longest", {"stage": row["stage"],
                                              "days": float(row["median_days"])})  # fmt: skip
        sub = None
    return Exhibit(key="idle", title=title, sub=sub, behind=behind, note=Say("process.note_idle"),
                   draw=lambda width: pictures.steps_figure(seen.steps, width))  # fmt: skip


def _fields(seen: Seen, behind: Part) -> Exhibit:
    shown, first = seen.fields.head(FIELDS), seen.fields.iloc[0]
    counts = {"n": len(seen.fields), "n_full": int(seen.number("n_full"))}
    if counts["n"] == counts["n_full"]:
        title = Say("process.title_fields_full", counts)
    else:
        title = Say("process.title_fields", {
            "field": f"field.{first['field']}", "share": float(first["filled_share"])})  # fmt: skip
    return Exhibit(
        key="fields", title=title, sub=Say("process.sub_fields", counts), behind=behind,
        note=Say("process.note_fields"),
        draw=lambda width: pictures.fields_figure(shown, width),
    )  # fmt: skip
