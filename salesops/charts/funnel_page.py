"""The words of the funnel's page: verdict and exhibits, made of its frames."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from salesops.charts import funnel as pictures
from salesops.charts.exhibit import Exhibit, Say
from salesops.model.calendar import Period
from salesops.model.finding import Finding

_OUTFLOW = {"lost": "funnel.verdict_out_lost", "pushed_out": "funnel.verdict_out_pushed"}


def largest_outflow(bars: pd.DataFrame) -> str:
    """Name the bar other than won through which most money left."""
    out = bars[(bars["kind"] == "out") & (bars["amount"] < 0)]
    return str(out.loc[out["amount"].idxmin(), "bucket"]) if len(out) else ""


def bar(bars: pd.DataFrame, bucket: str) -> float:
    """Give the amount of one bar; null where there is no waterfall."""
    found = bars.loc[bars["bucket"] == bucket, "amount"]
    return float(found.iloc[0]) if len(found) else math.nan


def verdict(
    stages: pd.DataFrame,
    bars: pd.DataFrame,
    leaks: pd.DataFrame,
    counts: Mapping[str, int],
    findings: Sequence[Finding],
) -> tuple[Say, ...]:
    """Say in one sentence how the funnel stands, and why."""
    amount = float(stages["amount"].sum(min_count=1))
    if findings:
        first = Say("funnel.verdict_fell", dict(findings[0].evidence))
    elif not math.isnan(amount):
        first = Say("funnel.verdict_open", {"n": int(stages["n"].sum()), "amount": amount})
    else:
        told: dict[str, float] = {
            "n": counts["open"], "won": counts["won"], "lost": counts["lost"],
        }  # fmt: skip
        valued = {"won_amount": counts["won_cents"] / 100} if counts["won_cents"] else {}
        code = "funnel.verdict_counts_valued" if valued else "funnel.verdict_counts"
        first = Say(code, told | valued)
    worst = largest_outflow(bars)
    if worst:
        won = -bar(bars, "won")
        code = _OUTFLOW.get(worst, "funnel.verdict_outflow")
        fields = {"bucket": f"bucket.{worst}", "won": won, "amount": -bar(bars, worst)}
        second = Say(code, fields)
        return (first, second)
    return (first, *_leak_clause(leaks))


def _leak_clause(leaks: pd.DataFrame) -> tuple[Say, ...]:
    known = leaks[leaks["stage"] != "unknown"]
    if known["n"].sum() == 0:
        total = int(leaks["n"].sum())
        return (Say("funnel.verdict_lost_n", {"n": total}),) if total else ()
    worst = known.loc[known["n"].idxmax()]
    return (Say("funnel.verdict_leak_n", {"stage": worst["stage"], "n": int(worst["n"])}),)


def exhibits(
    period: Period, stages: pd.DataFrame, bars: pd.DataFrame, leaks: pd.DataFrame
) -> dict[str, Exhibit]:
    """Give the exhibits of page one, as far as their numbers exist."""
    found = {"stages": _stages_exhibit(period, stages)}
    if len(bars):
        found["waterfall"] = _waterfall_exhibit(period, bars)
    found["leaks"] = _leaks_exhibit(period, leaks)
    return found


def _stages_exhibit(period: Period, stages: pd.DataFrame) -> Exhibit:
    known = stages[stages["rate"].notna() & (stages["trust"] != "too_few")]
    amount = float(stages["amount"].sum(min_count=1))
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
    if math.isnan(amount):
        sub = Say("funnel.sub_stages_n", {"n": total})
    else:
        due = float(stages["due"].sum(min_count=1))
        before = {"prior_n": stages["prior_n"].sum(min_count=1),
                  "prior_amount": stages["prior_amount"].sum(min_count=1)}  # fmt: skip
        code = "funnel.sub_stages" if not math.isnan(due) else "funnel.sub_stages_undated"
        code += "" if not math.isnan(before["prior_n"]) else "_new"
        sub = Say(code, {"n": total, "amount": amount, "due": due, **before})
    entered = stages.loc[stages["stage"] != "unknown", "entered"].fillna(0).astype(int).tolist()
    note = Say("funnel.note_stages", {"entered": entered}) if len(known) else None
    return Exhibit(
        key="stages", title=title, sub=sub, note=note, span=2,
        draw=lambda width: pictures.stages_figure(stages, width, worst=marked),
    )  # fmt: skip


def _waterfall_exhibit(period: Period, bars: pd.DataFrame) -> Exhibit:
    worst, won = largest_outflow(bars), -bar(bars, "won")
    if not worst:
        title = Say("funnel.title_waterfall_in", {"amount": bar(bars, "end")})
    else:
        more = -bar(bars, worst) > won
        code = "funnel.title_waterfall_more" if more else "funnel.title_waterfall_less"
        title = Say(code, {"bucket": f"bucket.{worst}", "amount": -bar(bars, worst), "won": won})
    return Exhibit(
        key="waterfall", title=title, sub=Say("funnel.sub_waterfall", {"period": period}),
        note=Say("funnel.note_waterfall", {}),
        draw=lambda width: pictures.waterfall_figure(bars, width, worst=worst),
    )  # fmt: skip


def _leaks_exhibit(period: Period, leaks: pd.DataFrame) -> Exhibit:
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
    return Exhibit(
        key="leaks", title=title, sub=sub, note=note,
        draw=lambda width: pictures.leaks_figure(leaks, width, by_money=by_money),
    )  # fmt: skip
