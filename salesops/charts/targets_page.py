"""The words of the targets page: verdict, exhibits and tables, made of the frames."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from salesops.charts import targets as pictures
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.parts import Shown
from salesops.charts.process_design import said
from salesops.charts.seen import Numbers, SeenBase
from salesops.charts.table import TableView
from salesops.model.settings import Settings

# A chance so low is said to be one in twenty or less.
HARDLY, MOST = 0.05, 12
MARKS = (0.8, 1.0, 1.2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(SeenBase):
    """What the page speaks of: the result's frames, its numbers by name, and what held."""

    nodes: pd.DataFrame
    people: pd.DataFrame
    needs: pd.DataFrame
    months: pd.DataFrame
    curve: pd.DataFrame
    payouts: pd.DataFrame
    sheet: pd.DataFrame
    what_if: pd.DataFrame


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say what the target is, what the people there will reach, and who carries the gap."""
    plan, middle = seen.number("plan"), seen.number("middle")
    if math.isnan(middle):
        if math.isnan(plan):
            return (Say("targets.verdict_none"),)
        return (Say("targets.verdict_plan_only", {"plan": plan}),)
    fields = {"plan": plan, "middle": middle, "low": seen.number("low"),
              "high": seen.number("high"), "chance": seen.number("chance")}  # fmt: skip
    if math.isnan(plan):
        return (Say("targets.verdict_no_plan", fields),)
    hardly = fields["chance"] < HARDLY
    clauses = [Say("targets.verdict_hardly" if hardly else "targets.verdict", fields)]
    teams = seen.nodes[(seen.nodes["level"] == "team") & seen.nodes["plan"].notna()]
    part = seen.number("carried")
    if plan > middle and len(teams) > 1 and part > 0:
        first = teams.loc[(teams["plan"] - teams["middle"]).idxmax(), "name"]
        clauses.append(Say("targets.verdict_carried", {
            "short": plan - middle, "team": first, "part": part,
        }))  # fmt: skip
    elif plan > middle:
        clauses.append(Say("targets.verdict_short", {"short": plan - middle}))
    return tuple(clauses)


def exhibits(seen: Seen, behind: Callable[[str], Part]) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known."""
    found = {
        "short": _gap(seen, behind), "tree": _tree(seen), "fair": _fair(seen),
        "takes": _needed(seen), "payout": _payout(seen),
    }  # fmt: skip
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _gap(seen: Seen, behind: Callable[[str], Part]) -> Exhibit | None:
    shown = seen.nodes[seen.nodes["level"].isin(["company", "team"])].head(MOST)
    if shown.empty:
        return None
    plan, middle = seen.number("plan"), seen.number("middle")
    fields = {"plan": plan, "middle": middle, "short": plan - middle, "over": middle - plan,
              "signed": seen.number("signed"), "baseline": seen.number("before")}  # fmt: skip
    code = "targets.title_gap_none"
    if plan == plan:
        code = "targets.title_gap" if plan > middle else "targets.title_gap_met"
    return Exhibit(
        key="short", title=Say(code, fields), behind=behind("bookings"),
        sub=Say("targets.sub_gap", fields) if fields["baseline"] == fields["baseline"] else None,
        note=Say("targets.note_gap"),
        draw=lambda width: pictures.gap_figure(shown, width),
    )  # fmt: skip


def _tree(seen: Seen) -> Exhibit | None:
    shown = seen.nodes[seen.nodes["chance"].notna() | seen.nodes["chance_now"].notna()]
    shown = shown.head(MOST)
    if shown.empty:
        return None
    likely = int((shown["chance"] >= pictures.DOUBTFUL).sum())
    fields = {"n": likely, "n_nodes": len(shown)}
    code = "targets.title_tree" if likely else "targets.title_tree_none"
    return Exhibit(
        key="tree", title=Say(code, fields),
        note=Say("targets.note_tree"), draw=lambda width: pictures.chances_figure(shown, width),
    )  # fmt: skip


def _fair(seen: Seen) -> Exhibit | None:
    if seen.people.empty:
        return None
    first = seen.people.iloc[0]
    fields = {"person": first["name_"], "over": float(first["over"]), "n": len(seen.people),
              "explained": seen.number("explained")}  # fmt: skip
    told = fields["explained"] == fields["explained"]
    return Exhibit(
        key="fair", title=Say("targets.title_fair", fields), note=Say("targets.note_fair", fields),
        sub=Say("targets.sub_fair", fields) if told else None,
        draw=lambda width: pictures.fair_figure(seen.people, width),
    )  # fmt: skip


def _needed(seen: Seen) -> Exhibit | None:
    if seen.needs.empty:
        return None
    need, have = (int(seen.number(f"heads_{side}")) for side in ("need", "have"))
    fields = {"need": need, "have": have,
              "to_go": seen.number("to_go"), "cycle": seen.number("cycle_days"),
              "size": seen.number("size"), "win_rate": seen.number("win_rate")}  # fmt: skip
    code = "targets.title_needed" if need > have else "targets.title_enough"
    return Exhibit(
        key="takes", title=Say(code, fields), sub=Say("targets.sub_needed", fields),
        note=Say("targets.note_needed", fields),
        draw=lambda width: pictures.needs_figure(seen.needs, width),
    )  # fmt: skip


def _payout(seen: Seen) -> Exhibit:
    marks = seen.payouts[seen.payouts["attained"].isin(MARKS)]
    at = marks.set_index("attained")["paid"]
    fields = {"low": float(at[0.8]), "middle": float(at[1.0]), "high": float(at[1.2]),
              "cost": seen.number("cost"), "cost_low": seen.number("cost_low"),
              "cost_high": seen.number("cost_high"),
              "n": int(seen.numbers["n_paid"] or 0)}  # fmt: skip
    return Exhibit(
        key="payout", title=Say("targets.title_payout", fields), note=Say("targets.note_payout"),
        sub=Say("targets.sub_payout", fields) if fields["cost"] == fields["cost"] else None,
        draw=lambda width: pictures.pay_figure(seen.curve, marks, width),
    )  # fmt: skip


def what_if_exhibit(seen: Seen) -> Exhibit | Shown:
    """Give the picture of growth, hiring and win rate."""
    if seen.what_if.empty:
        return said("targets.what_if_none")
    growth = seen.number("growth")
    fields = {"before": seen.number("before"), "growth": growth}
    return Exhibit(
        key="what_if", title=Say("targets.title_what_if", fields), span=2,
        note=Say("targets.note_what_if", fields),
        draw=lambda width: pictures.what_if(seen.what_if, growth, width),
    )  # fmt: skip


def nodes_table(nodes: pd.DataFrame) -> TableView | Shown:
    """Give the tree with target, what is signed, what will be, and the chance."""
    if nodes.empty:
        return said("targets.nodes_none")
    frame = nodes.assign(node=nodes["name"], n_sellers=nodes["n_people"],
                         to_reach=nodes["chance"])  # fmt: skip
    columns = {"node": "text", "n_sellers": "count", "plan": "money", "signed": "money",
               "middle": "money", "low": "money", "high": "money", "to_reach": "ratio",
               "from_open": "money", "potential_plan": "money"}  # fmt: skip
    if nodes["potential_plan"].isna().all():
        del columns["potential_plan"]
    seldom = frozenset({"n_sellers", "signed", "low", "high", "potential_plan", "from_open"})
    return TableView(frame=frame, columns=columns, most=60, caption=Say("targets.nodes_caption"),
                     optional=seldom)  # fmt: skip


def months_table(months: pd.DataFrame) -> TableView | Shown:
    """Give what is to be done month by month."""
    if months.empty:
        return said("targets.months_none")
    frame = months.rename(columns={"month": "of_month", "opportunities": "n_opportunities",
                                   "leads": "n_leads", "created": "begun_in"})  # fmt: skip
    columns = {"of_month": "text", "to_sign": "money", "wins": "decimal",
               "n_opportunities": "count", "n_leads": "count", "begun_in": "text",
               "heads": "decimal", "staff": "decimal"}  # fmt: skip
    if frame["n_leads"].isna().all():
        del columns["n_leads"]
    for column in ("n_opportunities", "n_leads"):
        frame[column] = frame[column].round()
    return TableView(frame=frame, columns=columns, most=24, caption=Say("targets.months_caption"),
                     optional=frozenset({"wins", "heads", "staff"}))  # fmt: skip


def people_table(people: pd.DataFrame) -> TableView | Shown:
    """Give quota, potential and work per person, most quota for the potential first."""
    if people.empty:
        return said("targets.people_none")
    frame = people.assign(person=people["name_"], n_quota_months=people["months"])
    columns = {"person": "text", "team": "text", "n_quota_months": "count", "quota": "money",
               "quota_times": "times", "potential_times": "times", "over": "times",
               "load_times": "times", "attained": "ratio"}  # fmt: skip
    seldom = frozenset({"n_quota_months", "quota", "load_times", "team"})
    return TableView(frame=frame, columns=columns, most=60, caption=Say("targets.people_caption"),
                     optional=seldom)  # fmt: skip


def plan_table(payouts: pd.DataFrame, settings: Settings) -> TableView | Shown:
    """Give the pay plan on one page: what each attainment pays."""
    columns = {"attained": "ratio", "paid": "ratio", "pay": "exact", "next_point": "exact"}
    frame = payouts
    if not settings.pay.on_target:
        columns = {"attained": "ratio", "paid": "ratio"}
    plan = settings.pay
    code = "targets.plan_caption" if plan.threshold else "targets.plan_caption_free"
    caption = Say(code, {
        "period": f"pay.{plan.period}", "threshold": plan.threshold, "cap": plan.cap,
    })  # fmt: skip
    return TableView(frame=frame, columns=columns, most=20, caption=caption)


def sheet_table(sheet: pd.DataFrame, numbers: Numbers) -> TableView | Shown:
    """Give one person's pay sheet, deal by deal; of anybody else's nothing."""
    if sheet.empty:
        return said("targets.sheet_none")
    fields = {name: numbers[name] for name in ("quota", "attained", "earned", "next_amount",
                                               "next_pay")}  # fmt: skip
    frame = sheet.assign(deal=sheet["name"], credited=sheet["credit_share"])
    columns = {"booked_on": "date", "deal": "text", "credited": "ratio", "amount": "exact",
               "attained": "ratio", "pay": "exact"}  # fmt: skip
    total = {"pay": float(sheet["pay"].sum())}
    return TableView(frame=frame, columns=columns, most=60, total=total,
                     caption=Say("targets.sheet_caption", fields),
                     optional=frozenset({"credited"}))  # fmt: skip
