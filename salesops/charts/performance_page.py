"""The words of the performance page: verdict, bar and exhibits, made of its frames."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from salesops.charts import performance as pictures
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.table import TableView
from salesops.charts.verdict import RunBar, Share
from salesops.model.calendar import Period

SHOWN_DEALS = 5
Known = Mapping[str, float]
Folded = Callable[[str], "Part | None"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """What the page is made of.

    Attributes
    ----------
    period
        Of the report.
    running
        Whether it is not over yet.
    numbers
        By name; null where not known.
    window
        The days of the year before, or of the period before where that is not known.
    alignment
        `same` calendar days, `aligned` at Spring Festival, or `apart` where it lies differently.
    by_year, bridge_by_year
        Whether these, and those of the bridge, are of the year before.
    groups, days, reps, deals, bars
        Frames of the result.
    n_merged, split
        Of the bridge: segments in which causes stand together, and what makes the segments.
    plan_until
        Period for which people's targets are set.
    deals_due
        Whether `deals` are those expected in the period, not all open ones.
    """

    period: Period
    running: bool
    numbers: Known
    window: Period | None
    alignment: str
    by_year: bool
    bridge_by_year: bool
    groups: pd.DataFrame
    days: pd.DataFrame
    reps: pd.DataFrame
    deals: pd.DataFrame
    bars: pd.DataFrame
    n_merged: int
    split: str
    plan_until: Period
    deals_due: bool

    def __getitem__(self, name: str) -> float:
        return self.numbers[name]

    def has(self, *names: str) -> bool:
        """Say whether all of these numbers are known."""
        return not any(math.isnan(self.numbers[name]) for name in names)

    def pick(self, *names: str) -> dict[str, float]:
        """Give some numbers by name."""
        return {name: self.numbers[name] for name in names}


def verdict(facts: Facts) -> tuple[Say, ...]:
    """Say in one sentence how the period stands, and why in one number."""
    period = {"period": facts.period}
    if not facts.has("signed"):
        return (Say("performance.verdict_unknown", period), *_open_clause(facts))
    if not facts["n"] and not facts.has("target"):
        return (Say("performance.verdict_none", period), *_open_clause(facts))
    if not facts.has("target"):
        first = Say("performance.verdict_signed", period | facts.pick("n", "signed"))
        return (first, *(_change_clause(facts) or _open_clause(facts)))
    if facts["signed"] >= facts["target"]:
        code = "performance.verdict_met"
        first = Say(code, period | facts.pick("attained", "over"))
        return (first, *(_change_clause(facts) or (_signed_clause(facts),)))
    if not facts.running:
        first = Say("performance.verdict_missed", period | facts.pick("attained", "to_go"))
        return (first, *(_change_clause(facts) or (_signed_clause(facts),)))
    return _running(facts)


def _running(facts: Facts) -> tuple[Say, ...]:
    period = {"period": facts.period}
    if not facts.has("likely_low", "likely_high"):
        if facts.has("due"):
            first = Say("performance.verdict_pace", period | facts.pick("signed", "due"))
            return (first, Say("performance.verdict_left", facts.pick("to_go", "target")))
        first = Say("performance.verdict_attained", period | facts.pick("attained", "signed"))
        return (first, Say("performance.verdict_left", facts.pick("to_go", "target")))
    if facts["likely_high"] < facts["to_go"]:
        first = Say("performance.verdict_will_miss", period | facts.pick("short"))
    elif facts["likely_low"] >= facts["to_go"]:
        first = Say("performance.verdict_will_meet", period | facts.pick("to_go"))
    elif facts["short"] > 0:
        first = Say("performance.verdict_may_miss", period | facts.pick("short"))
    else:
        first = Say("performance.verdict_may_meet", period | facts.pick("likely"))
    if facts.has("coverage", "need"):
        return (first, Say("performance.verdict_cover", facts.pick("to_go", "coverage", "need")))
    return (first, Say("performance.verdict_likely", facts.pick("to_go", "likely")))


def _signed_clause(facts: Facts) -> Say:
    return Say("performance.verdict_of_target", facts.pick("signed", "target"))


def _change_clause(facts: Facts) -> tuple[Say, ...]:
    """How it compares with before, and what did most."""
    if not facts.has("change"):
        return ()
    year = "year" if facts.by_year else "prior"
    side = "more" if facts["change"] >= 0 else "less"
    cause = main_cause(facts.bars) if facts.bridge_by_year == facts.by_year else ""
    fields: dict[str, object] = {"change": abs(facts["change"]), "compared": facts["compared"]}
    if not cause:
        return (Say(f"performance.verdict_{side}_{year}", fields),)
    amount = bar_of(facts.bars, cause)
    fields |= {"cause": f"bridge.{cause}", "amount": amount}
    return (Say(f"performance.verdict_{side}_{year}_cause", fields),)


def _open_clause(facts: Facts) -> tuple[Say, ...]:
    n = int(facts["n_open"])
    due = "due" if facts.deals_due else "open"
    if not facts.has("open"):
        return (Say(f"performance.verdict_{due}_n", {"n": n}),)
    return (Say(f"performance.verdict_{due}", {"n": n, "open": facts["open"]}),)


def bar_of(bars: pd.DataFrame, name: str) -> float:
    """Give the amount of one bar of the bridge; null where there is none."""
    found = bars.loc[bars["bar"] == name, "amount"]
    return float(found.iloc[0]) if len(found) else math.nan


def main_cause(bars: pd.DataFrame) -> str:
    """Name the cause that did most in the direction of the change."""
    if bars.empty:
        return ""
    change = bar_of(bars, "now") - bar_of(bars, "before")
    causes = bars[bars["kind"] == "change"]
    amounts = causes["amount"] if change >= 0 else -causes["amount"]
    return str(causes.loc[amounts.idxmax(), "bar"]) if amounts.max() > 0 else ""


def run_bar(facts: Facts) -> RunBar | None:
    """Give the verdict as one bar: signed, still likely, short, and what is due by now."""
    if not facts.has("target", "signed") or not facts["target"] > 0:
        return None
    signed, likely = max(facts["signed"], 0.0), 0.0
    shares = [_share("got", "signed", signed, facts, "performance.run_signed_note",
                     facts.pick("attained", "target"))]  # fmt: skip
    if facts.running and facts.has("due"):
        shares.append(_share("tick", "due", facts["due"], facts, "performance.run_due_note",
                             facts.pick("pace", "time_gone")))  # fmt: skip
    if facts.running and facts.has("likely"):
        likely = max(facts["likely"], 0.0)
        shares.append(_share("likely", "likely", likely, facts, "performance.run_likely_note",
                             facts.pick("likely_low", "likely_high")))  # fmt: skip
    left = max(facts["target"] - signed - likely, 0.0)
    if left > 0:
        code = "short" if facts.running and facts.has("likely") else "left"
        shares.append(_share("short", code, left, facts))
    title = Say("performance.run_title", {"period": facts.period, "target": facts["target"]})
    return RunBar(title=title, shares=tuple(shares))


def _share(
    mark: str, name: str, size: float, _facts: Facts, note: str = "", fields: Known | None = None
) -> Share:
    said = Say(note, dict(fields or {})) if note else None
    return Share(mark=mark, name=Say(f"performance.run_{name}"),  # type: ignore[arg-type]
                 value=Say("performance.run_amount", {"amount": size}), size=size,
                 note=said)  # fmt: skip


def exhibits(facts: Facts, folded: Folded) -> dict[str, Exhibit]:
    """Give the exhibits of page one, as far as their numbers exist."""
    found = {}
    if facts.has("signed"):
        main = "attainment" if facts.has("target") else "bookings"
        found["attainment"] = _attainment(facts, folded(main))
    if facts.has("signed") and (facts.has("change") or facts.has("target")):
        found["year_ago"] = _year_ago(facts, folded("bookings"))
    if len(facts.reps):
        found["ladder"] = _ladder(facts, folded("reps_at_target"))
    if len(facts.deals):
        found["gap"] = _gap(facts, folded("pace") if facts.has("due") else None)
    if len(facts.bars):
        found["bridge"] = _bridge(facts, folded("bookings"))
    return found


def _attainment(facts: Facts, behind: Part | None) -> Exhibit:
    parts = facts.groups[facts.groups["level"] == "group"]
    late = parts.assign(gap=parts["due"] - parts["signed"])
    late = late[late["gap"] > 0]
    worst = ""
    fields = facts.pick("signed", "n")
    if len(late):
        row = late.loc[late["gap"].idxmax()]
        if row["behind_p"] < 0.05:
            worst = str(row["group"])
        code = "performance.title_late" if facts.running else "performance.title_missed"
        code += "_none" if not row["signed"] else ""
        title = Say(code, {"group": row["name"], "due": row["due"], "signed": row["signed"]})
    elif facts.running and facts.has("due"):
        title = Say("performance.title_pace", facts.pick("signed", "due"))
    elif facts.has("target"):
        title = Say("performance.title_attained", facts.pick("signed", "attained"))
    else:
        code = "performance.title_signed" if facts["n"] else "performance.title_none"
        title = Say(code, fields if facts["n"] else {})
    if facts.running and facts.has("pace"):
        sub = Say("performance.sub_pace",
                  facts.pick("attained", "pace", "time_gone", "prior"))  # fmt: skip
    elif facts.has("attained"):
        sub = Say("performance.sub_attained", facts.pick("attained", "target", "prior"))
    else:
        sub = Say("performance.sub_signed", fields | facts.pick("prior"))
    if not facts.has("prior"):
        told = {name: value for name, value in sub.fields.items() if name != "prior"}
        sub = Say(sub.code + "_new", told)
    pace = "performance.note_pace" if facts.running else "performance.note_target"
    note = pace if facts.has("due") else "performance.note_signed"
    return Exhibit(
        key="attainment", title=title, sub=sub, note=Say(note, facts.pick("n")), span=2,
        draw=lambda width: pictures.attainment_figure(facts.groups, width, worst=worst),
        behind=behind,
    )  # fmt: skip


def _year_ago(facts: Facts, behind: Part | None) -> Exhibit:
    if facts.has("change"):
        side = "more" if facts["change"] >= 0 else "less"
        kind = "year" if facts.by_year else "prior"
        title = Say(f"performance.title_{side}_{kind}",
                    {"change": abs(facts["change"]), "signed": facts["signed"]})  # fmt: skip
    else:
        title = Say("performance.title_signed_of", facts.pick("signed", "target"))
    known = [name for name in ("compared", "due", "target") if facts.has(name)]
    known = [name for name in known if name != "due" or facts.running]
    sub = Say(f"performance.sub_{'_'.join(known)}", facts.pick(*known)) if known else None
    note = None
    if facts.window is not None and facts.has("change"):
        note = Say(f"performance.note_{facts.alignment}",
                   {"first": facts.window.start, "last": facts.window.end})  # fmt: skip
    name = "label.year_ago" if facts.by_year else "label.prior_period"
    return Exhibit(
        key="year_ago", title=title, sub=sub, note=note, behind=behind,
        draw=lambda width: pictures.course_figure(facts.days, width, compared=name),
    )  # fmt: skip


def _ladder(facts: Facts, behind: Part | None) -> Exhibit:
    reps = facts.reps
    if facts.has("n_reps") and facts["n_reps"]:
        fields = {"n": int(facts["n_reps"]), "reached": int(facts["n_reached"]),
                  "median": facts["median"]}  # fmt: skip
        title = Say("performance.title_ladder", fields)
        counts = {"without": int(facts["n_without"]), "half": int(facts["n_half"])}
        sub = Say("performance.sub_ladder", counts | facts.pick("prior_reached"))
        cut = facts.plan_until.end < facts.period.end
        note = Say("performance.note_ladder_cut" if cut else "performance.note_ladder",
                   {"until": facts.plan_until.end, "n": int(facts["n_reps"])})  # fmt: skip
    else:
        behind = None
        first = reps.loc[reps["signed_year"].idxmax()]
        fields = {"owner": first["owner"], "signed": first["signed_year"],
                  "share": facts["top_share"]}  # fmt: skip
        title = Say("performance.title_people", fields)
        sub = Say("performance.sub_people", {"n": len(reps), "signed": facts["year_signed"]})
        note = Say("performance.note_people", {})
    return Exhibit(key="ladder", title=title, sub=sub, note=note, behind=behind,
                   draw=lambda width: pictures.ladder_figure(reps, width))  # fmt: skip


def _gap(facts: Facts, behind: Part | None) -> Exhibit:
    sub: Say | None
    n = int(facts["n_open"])
    dated = facts.deals["expected_close_on"].notna().any()
    due = "due" if facts.deals_due else "open" if dated else "all"
    if not facts.has("open"):
        title = Say(f"performance.title_{due}_n", {"n": n})
    elif facts.deals_due and facts.has("to_go") and facts["to_go"] > 0:
        code = "performance.title_gap" if facts.running else "performance.title_gap_over"
        title = Say(code, {"n": n} | facts.pick("to_go", "open"))
    else:
        title = Say(f"performance.title_{due}", {"n": n, "open": facts["open"]})
    if facts.has("likely", "n_periods") and facts.running:
        sub = Say("performance.sub_gap", facts.pick("overdue", "likely", "n_periods"))
    else:
        late = int(facts["n_overdue"])
        sub = Say("performance.sub_deals", {"n": late}) if late else None
    columns = {"customer": "text", "owner": "text", "stage": "stage",
               "expected_close_on": "short_date", "amount": "money"}  # fmt: skip
    shown = facts.deals.head(SHOWN_DEALS)
    columns = {c: k for c, k in columns.items() if c != "owner" or shown["owner"].notna().any()}
    columns = {c: k for c, k in columns.items()
               if c not in ("amount", "expected_close_on") or shown[c].notna().any()}  # fmt: skip
    code = "performance.deals_caption" if facts.has("open") else "performance.deals_oldest"
    caption = Say(code, {"n": len(shown)})
    table = TableView(frame=shown, columns=columns, caption=caption, optional=frozenset({"stage"}))
    return Exhibit(key="gap", title=title, sub=sub, table=table, behind=behind)


def _bridge(facts: Facts, behind: Part | None) -> Exhibit:
    cause = main_cause(facts.bars)
    kind = "year" if facts.bridge_by_year else "prior"
    amount = bar_of(facts.bars, cause) if cause else 0.0
    if not cause:
        title = Say("performance.title_bridge_none")
    else:
        code = "performance.title_bridge_up" if amount >= 0 else "performance.title_bridge_down"
        title = Say(code, {"cause": f"bridge.{cause}", "amount": abs(amount)})
    fields = {"before": bar_of(facts.bars, "before"), "now": bar_of(facts.bars, "now")}
    sub = Say(f"performance.sub_bridge_{kind}", fields)
    by = {"by": f"split.{facts.split or 'none'}", "n": facts.n_merged}
    note = Say("performance.note_bridge_merged" if facts.n_merged else "performance.note_bridge",
               by)  # fmt: skip
    worst = cause if amount < 0 else ""
    return Exhibit(
        key="bridge", title=title, sub=sub, note=note, behind=behind,
        draw=lambda width: pictures.bridge_figure(facts.bars, width, worst=worst),
    )  # fmt: skip
