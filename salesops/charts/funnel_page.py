"""The five exhibits of the funnel's page, made of its frames and numbers."""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from salesops.charts import funnel as pictures
from salesops.charts import funnel_lists as lists
from salesops.charts.ageing import MOST_DOTS, ageing_figure
from salesops.charts.coverage import coverage_figure
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.model.calendar import Period
from salesops.model.settings import Norms

Behind = Callable[[str], Part]


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What the page speaks of: the result's frames and its numbers by name.

    Attributes
    ----------
    over
        True where the period has ended.
    told
        Numbers of coverage and ageing, null or absent where not known.
    worst
        The stage in which most stays beyond the limit, or nothing.
    """

    period: Period
    over: bool
    date: dt.date
    stages: pd.DataFrame
    bars: pd.DataFrame
    leaks: pd.DataFrame
    flow: pd.DataFrame
    weeks: pd.DataFrame
    ageing: pd.DataFrame
    open_deals: pd.DataFrame
    reasons: pd.DataFrame
    worst: str
    told: Mapping[str, float]
    counts: Mapping[str, int]
    norms: Norms

    def known(self, name: str) -> bool:
        """Say whether a number is there."""
        return not math.isnan(self.told.get(name, math.nan))


def largest_outflow(bars: pd.DataFrame) -> str:
    """Name the bar other than won through which most money left."""
    out = bars[(bars["kind"] == "out") & (bars["amount"] < 0)]
    return str(out.loc[out["amount"].idxmin(), "bucket"]) if len(out) else ""


def bar(bars: pd.DataFrame, bucket: str) -> float:
    """Give the amount of one bar; null where there is no waterfall."""
    found = bars.loc[bars["bucket"] == bucket, "amount"]
    return float(found.iloc[0]) if len(found) else math.nan


def exhibits(seen: Seen, behind: Behind) -> dict[str, Exhibit]:
    """Give the exhibits of page one, as far as their numbers exist.

    What only a history tells is told in its place, where it can be, by dates and lists.
    """
    found = {
        "stages": _stages_exhibit(seen, behind),
        "waterfall": _waterfall_exhibit(seen) if len(seen.bars) else lists.flow_exhibit(
            seen.period, seen.flow),
        "coverage": _coverage_exhibit(seen, behind) if seen.known("coverage") else
        lists.due_exhibit(seen.period, seen.date, seen.open_deals, has_goal=seen.known("target")),
        "ageing": _ageing_exhibit(seen, behind) if len(seen.ageing) else lists.oldest_exhibit(
            seen.date, seen.open_deals),
        "leaks": _leaks_exhibit(seen),
    }  # fmt: skip
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _stages_exhibit(seen: Seen, behind: Behind) -> Exhibit:
    stages = seen.stages
    known = stages[stages["rate"].notna() & (stages["trust"] != "too_few")]
    total = int(stages["n"].sum())
    if len(known):
        worst = known.loc[known["rate"].idxmin()]
        fields = {"stage": worst["stage"], "rate": worst["rate"], "prior_rate": worst["prior_rate"]}
        has_prior = not math.isnan(worst["prior_rate"])
        title = Say("funnel.title_stages" if has_prior else "funnel.title_stages_new", fields)
        # What improved is the narrowest still, but nothing to act on.
        marked = "" if has_prior and worst["rate"] > worst["prior_rate"] else str(worst["stage"])
    else:
        most = stages.loc[stages["n"].idxmax(), "stage"]
        title, marked = Say("funnel.title_open", {"stage": most, "n": total}), ""
    entered = stages.loc[stages["stage"] != "unknown", "entered"].fillna(0).astype(int).tolist()
    note = Say("funnel.note_stages", {"entered": entered}) if len(known) else None
    return Exhibit(
        key="stages", title=title, sub=_stages_sub(stages, total), note=note, span=2,
        draw=lambda width: pictures.stages_figure(stages, width, worst=marked),
        behind=behind("stage_conversion") if len(known) else behind("win_rate"),
    )  # fmt: skip


def _stages_sub(stages: pd.DataFrame, total: int) -> Say:
    amount = float(stages["amount"].sum(min_count=1))
    if math.isnan(amount):
        return Say("funnel.sub_stages_n", {"n": total})
    due = float(stages["due"].sum(min_count=1))
    before = {"prior_n": stages["prior_n"].sum(min_count=1),
              "prior_amount": stages["prior_amount"].sum(min_count=1)}  # fmt: skip
    code = "funnel.sub_stages" if not math.isnan(due) else "funnel.sub_stages_undated"
    code += "" if not math.isnan(before["prior_n"]) else "_new"
    return Say(code, {"n": total, "amount": amount, "due": due, **before})


def _waterfall_exhibit(seen: Seen) -> Exhibit:
    bars = seen.bars
    worst, won = largest_outflow(bars), -bar(bars, "won")
    if not worst:
        title = Say("funnel.title_waterfall_in", {"amount": bar(bars, "end")})
    else:
        more = -bar(bars, worst) > won
        code = "funnel.title_waterfall_more" if more else "funnel.title_waterfall_less"
        title = Say(code, {"bucket": f"bucket.{worst}", "amount": -bar(bars, worst), "won": won})
    return Exhibit(
        key="waterfall", title=title, sub=Say("funnel.sub_waterfall", {"period": seen.period}),
        note=Say("funnel.note_waterfall", {}),
        draw=lambda width: pictures.waterfall_figure(bars, width, worst=worst),
    )  # fmt: skip


def _coverage_exhibit(seen: Seen, behind: Behind) -> Exhibit:
    told, weeks = seen.told, seen.weeks
    now = weeks[weeks["coverage"].notna()] if len(weeks) else weeks
    fields = {name: told[name] for name in ("coverage", "need", "awake_coverage")}
    silent = round(told["coverage"], 1) > round(told["awake_coverage"], 1)
    if seen.over:
        code = "funnel.title_coverage_over"
        fields |= {"open": told["open_due"], "to_go": told["to_go"]}
    elif seen.known("need"):
        code = "funnel.title_coverage" if silent else "funnel.title_coverage_awake"
    else:
        code = "funnel.title_coverage_new"
    sub = Say("funnel.sub_coverage", {
        "open": told["open_due"], "to_go": told["to_go"], "n": int(told["silent_due_n"]),
        "silent": told["silent_due"], "times": seen.norms.silent_after})  # fmt: skip
    note = None
    if seen.known("need") and not seen.over:
        wide = "" if seen.known("need_high") else "_open"
        note = Say(f"funnel.note_coverage{wide}", {
            "n_periods": int(told["n_periods"]), "share": told["week_n_conversion"],
            "later": told["usually_later"], "low": told["need_low"],
            "high": told["need_high"]})  # fmt: skip
    # Before the first week is over there is no course to draw.
    drawn = len(now) > 1
    return Exhibit(
        key="coverage", title=Say(code, fields), sub=sub, note=note,
        draw=(lambda width: coverage_figure(now, width)) if drawn else None,
        table=None if drawn else lists.coverage_table(told), behind=behind("to_go_coverage"),
    )  # fmt: skip


def _ageing_exhibit(seen: Seen, behind: Behind) -> Exhibit:
    told, limit = seen.told, seen.norms.aged_after
    if seen.worst:
        row = seen.ageing[seen.ageing["stage"] == seen.worst].iloc[0]
        valued = not math.isnan(row["aged_amount"])
        code = "funnel.title_ageing" if valued else "funnel.title_ageing_n"
        title = Say(code, {"stage": seen.worst, "n": int(row["aged_n"]),
                           "amount": row["aged_amount"], "limit": limit})  # fmt: skip
    else:
        title = Say("funnel.title_ageing_none", {"limit": limit})
    many = "_many" if seen.open_deals["age_times"].notna().sum() > MOST_DOTS else ""
    prior = "" if seen.known("prior_aged_share") else "_new"
    sub = Say(f"funnel.sub_ageing{prior}", {
        "share": told["aged_share"], "prior_share": told["prior_aged_share"],
        "n": int(told["aged_n"])})  # fmt: skip
    return Exhibit(
        key="ageing", title=title, sub=sub, note=Say(f"funnel.note_ageing{many}", {}),
        draw=lambda width: ageing_figure(
            seen.ageing, seen.open_deals, width, limit=limit, worst=seen.worst
        ),
        behind=behind("stage_ageing"),
    )  # fmt: skip


def _leaks_exhibit(seen: Seen) -> Exhibit | None:
    ends = seen.flow.set_index("bucket")["n"]
    if ends[["lost", "void"]].isna().any():
        return None  # when they were lost is not known
    leaks = seen.leaks
    total, n = float(leaks["leak"].sum(min_count=1)), int(leaks["n"].sum())
    by_money = not math.isnan(total) and total > 0
    worst = leaks.loc[leaks["leak" if by_money else "n"].idxmax()] if n else None
    if worst is None or worst["stage"] == "unknown":
        title = Say("funnel.title_leaks_n", {"n": n})
    elif by_money:
        title = Say("funnel.title_leaks", {"stage": worst["stage"], "leak": worst["leak"],
                                           "share": worst["leak_share"]})  # fmt: skip
    else:
        title = Say("funnel.title_leaks_count", {"stage": worst["stage"], "n": int(worst["n"])})
    prior = float(leaks["prior_leak"].sum(min_count=1))
    if by_money:
        sub = Say("funnel.sub_leaks", {"leak": total, "prior": prior})
    else:
        sub = Say("funnel.sub_leaks_n", {"n": n, "prior_n": int(leaks["prior_n"].sum())})
    note = Say("funnel.note_leaks", {}) if leaks["norm_n"].notna().any() else None
    only_unknown = leaks["stage"].tolist() == ["unknown"]
    table = lists.reasons_table(seen.reasons) if only_unknown else None
    return Exhibit(
        key="leaks", title=title, sub=sub, note=note, table=table,
        draw=None if table else lambda width: pictures.leaks_figure(
            leaks, width, by_money=by_money),
    )  # fmt: skip
