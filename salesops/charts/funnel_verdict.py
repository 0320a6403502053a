"""The head of the funnel's page: the verdict in one sentence, and the bar that shows its sum."""

import math
from collections.abc import Sequence

from salesops.charts.exhibit import Say
from salesops.charts.funnel_page import Seen, bar, largest_outflow
from salesops.charts.verdict import Mark, RunBar, Share
from salesops.model.finding import Finding

_OUTFLOW = {"lost": "funnel.verdict_out_lost", "pushed_out": "funnel.verdict_out_pushed"}


def verdict(seen: Seen, findings: Sequence[Finding]) -> tuple[Say, ...]:
    """Say in one sentence how the period will end, or how the funnel stands, and why."""
    if seen.known("target"):
        return _against_target(seen)
    fell = [f for f in findings if f.code == "funnel.conversion_fell"]
    amount = float(seen.stages["amount"].sum(min_count=1))
    if fell:
        first = Say("funnel.verdict_fell", dict(fell[0].evidence))
    elif not math.isnan(amount):
        first = Say("funnel.verdict_open", {"n": int(seen.stages["n"].sum()), "amount": amount})
    else:
        first = _counted(seen)
    worst = largest_outflow(seen.bars)
    if worst:
        code = _OUTFLOW.get(worst, "funnel.verdict_outflow")
        fields = {"bucket": f"bucket.{worst}", "won": -bar(seen.bars, "won"),
                  "amount": -bar(seen.bars, worst)}  # fmt: skip
        return (first, Say(code, fields))
    return (first, *_leak_clause(seen))


def _counted(seen: Seen) -> Say:
    told: dict[str, float] = {"n": seen.counts["open"], "won": seen.counts["won"],
                              "lost": seen.counts["lost"]}  # fmt: skip
    if not seen.counts["won_cents"]:
        return Say("funnel.verdict_counts", told)
    return Say(
        "funnel.verdict_counts_valued", told | {"won_amount": seen.counts["won_cents"] / 100}
    )


def _leak_clause(seen: Seen) -> tuple[Say, ...]:
    known = seen.leaks[seen.leaks["stage"] != "unknown"]
    if known["n"].sum() == 0:
        rows = seen.flow.set_index("bucket")["n"]
        if rows[["won", "lost"]].isna().any():
            return (Say("funnel.verdict_came", {"created": int(rows["created"])}),)
        told = {name: int(rows[name]) for name in ("created", "won", "lost")}
        return (Say("funnel.verdict_flow", told),) if sum(told.values()) else ()
    worst = known.loc[known["n"].idxmax()]
    return (Say("funnel.verdict_leak_n", {"stage": worst["stage"], "n": int(worst["n"])}),)


def outlook(seen: Seen) -> str:
    """Name how a running period stands: `met`, `over`, `unknown`, or how likely it is short."""
    told = seen.told
    if told["won_by_now"] >= told["target"]:
        return "met"
    if seen.over:
        return "over"
    if not seen.known("likely"):
        return "unknown"
    if told["gap"] > 0:
        return "short_firm" if told["gap_low"] > 0 else "short"
    return "reach_firm" if told["gap_high"] < 0 else "reach"


def _against_target(seen: Seen) -> tuple[Say, ...]:
    told, how = seen.told, outlook(seen)
    fields = {"period": seen.period, **{name: told[name] for name in (
        "gap", "surplus", "won_by_now", "target", "to_go", "won_share", "missed_by")}}  # fmt: skip
    first = Say(f"funnel.verdict_{how}", {k: v for k, v in fields.items() if v == v})
    if how in ("met", "over"):
        return (first,)
    why = {"to_go": told["to_go"], "coverage": told["coverage"], "need": told["need"]}
    if not seen.known("need"):
        return (first, Say("funnel.why_open", {"coverage": told["coverage"],
                                               "open": told["open_due"]}))  # fmt: skip
    return (first, Say("funnel.why_need", why))


def run_bar(seen: Seen) -> RunBar | None:
    """Show target, won, still likely and what is missing as one bar; None without a target."""
    told = seen.told
    if not seen.known("target") or not told["target"] > 0:
        return None
    how = outlook(seen)
    got = _share("got", "won_by_now", told["won_by_now"], Say("funnel.run_won_note", {
        "target": told["target"], "won_share": told["won_share"],
        "prior_won_share": told["prior_won_share"]}))  # fmt: skip
    shares = [got]
    if not seen.over and seen.known("expected_by_now"):
        note = Say("funnel.run_pace_note", {"pace_rate": told["pace_rate"]})
        shares.append(_share("tick", "expected_by_now", told["expected_by_now"], note))
    short = told["to_go"]
    if not seen.over and seen.known("likely") and how != "met":
        note = Say("funnel.run_likely_note", {"from_open": told["from_open"],
                                              "usually_later": told["usually_later"]})  # fmt: skip
        likely = min(told["likely"], told["to_go"])
        shares.append(_share("likely", "likely", told["likely"], note, likely))
        short = told["to_go"] - likely
    if short > 0:
        shares.append(_short(seen, how, short))
    return RunBar(title=Say("funnel.run_title", {"target": told["target"]}), shares=tuple(shares))


def _share(mark: Mark, name: str, value: float, note: Say, size: float | None = None) -> Share:
    return Share(
        mark=mark, name=Say(f"funnel.run_{name}"), value=Say("funnel.run_value", {"value": value}),
        size=value if size is None else size, note=note,
    )  # fmt: skip


def _short(seen: Seen, how: str, short: float) -> Share:
    if how in ("over", "unknown"):
        return Share(mark="short", name=Say("funnel.run_to_go"),
                     value=Say("funnel.run_value", {"value": short}), size=short)  # fmt: skip
    told = seen.told
    low, high = max(told["gap_low"], 0.0), told["gap_high"]
    fields = {"low": low, "high": high, "trust": "firm" if how == "short_firm" else "unsure"}
    return Share(
        mark="short", name=Say("funnel.run_gap"), value=Say("funnel.run_value", {"value": short}),
        size=short, note=Say("funnel.run_gap_note", fields),
    )  # fmt: skip
