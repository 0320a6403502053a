"""What stands on the funnel's page where no history tells more: dates, counts and lists."""

import datetime as dt
from collections.abc import Mapping

import pandas as pd

from salesops.charts.exhibit import Exhibit, Say
from salesops.charts.table import TableView
from salesops.model.calendar import Period

FEW = 5


def flow_exhibit(period: Period, flow: pd.DataFrame) -> Exhibit:
    """Say what came in and what ended in the period."""
    counts = flow.set_index("bucket")["n"]
    new, won, lost = (counts[name] for name in ("created", "won", "lost"))
    title = Say("funnel.title_came", {"n": int(new)})
    if not pd.isna([won, lost]).any():
        title = Say("funnel.title_flow", {"n": int(new), "won": int(won), "lost": int(lost)})
    valued = flow["amount"].notna().any()
    columns = {"flow": "label", "n_deals": "count", "prior_n": "count"}
    if valued:
        columns = {"flow": "label", "n_deals": "count", "amount": "money", "prior_n": "count"}
    frame = flow.assign(flow="bucket." + flow["bucket"], n_deals=flow["n"])
    return Exhibit(
        key="waterfall", title=title,
        sub=Say("funnel.sub_flow", {"period": period}),
        table=TableView(frame=frame, columns=columns, caption=Say("funnel.flow_caption")),
    )  # fmt: skip


def due_exhibit(
    period: Period, date: dt.date, deals: pd.DataFrame, *, has_goal: bool
) -> Exhibit | None:
    """List the deals that are expected in the period or overdue; None without dates."""
    expected = pd.to_datetime(deals["expected_close_on"])
    if expected.isna().all():
        return None
    # Before the choice: a frame of no rows would take the rows of what is assigned to it.
    due = deals.assign(expected_on=expected.dt.date)[expected <= pd.Timestamp(period.end)]
    late = due[due["overdue"].eq(True)]
    fields = {"n": len(due), "amount": float(due["amount"].sum()), "late": len(late),
              "late_amount": float(late["amount"].sum()), "date": date}  # fmt: skip
    due = due.sort_values(["amount", "id"], ascending=[False, True])
    columns = {"name": "text", "owner": "text", "expected_on": "date", "amount": "money"}
    title = Say("funnel.title_due" if len(late) else "funnel.title_due_all", fields)
    sub = Say("funnel.sub_due_met" if has_goal else "funnel.sub_due", fields)
    return Exhibit(
        key="coverage", title=title, sub=sub,
        table=TableView(frame=due, columns=columns, caption=Say("funnel.due_caption"), most=FEW,
                        optional=frozenset({"owner"})),
    )  # fmt: skip


def oldest_exhibit(date: dt.date, deals: pd.DataFrame) -> Exhibit | None:
    """List the open deals that were created longest ago; None where no creation is dated."""
    born = pd.to_datetime(deals["created_at"])
    if born.isna().all():
        return None
    days = (pd.Timestamp(date) - born.dt.normalize()).dt.days
    old = deals.assign(open_days=days).dropna(subset=["open_days"])
    old = old.sort_values(["open_days", "id"], ascending=[False, True])
    half = float(old["open_days"].median())
    columns = {"name": "text", "stage": "stage", "open_days": "days", "amount": "money"}
    if old["amount"].isna().all():
        del columns["amount"]
    return Exhibit(
        key="ageing", title=Say("funnel.title_oldest", {"days": float(old["open_days"].max())}),
        sub=Say("funnel.sub_oldest", {"n": len(old), "days": half}),
        table=TableView(frame=old, columns=columns, caption=Say("funnel.oldest_caption"), most=FEW,
                        optional=frozenset({"stage"})),
    )  # fmt: skip


def reasons_table(reasons: pd.DataFrame) -> TableView | None:
    """Give the reasons for which deals were lost; None where none was entered."""
    if reasons["reason"].notna().sum() == 0:
        return None
    columns = {"lost_reason": "text", "n_deals": "count", "amount": "money"}
    frame = reasons.assign(lost_reason=reasons["reason"], n_deals=reasons["n"])
    return TableView(frame=frame, columns=columns, caption=Say("funnel.reasons_caption"), most=FEW)


def coverage_table(told: Mapping[str, float]) -> TableView:
    """Give coverage as numbers, where it has no course yet."""
    names = ("target", "won_by_now", "to_go", "open_due", "silent_due")
    frame = pd.DataFrame({"figure": [f"funnel.run_{name}" for name in names],
                          "amount": [told[name] for name in names]})  # fmt: skip
    return TableView(frame=frame, columns={"figure": "label", "amount": "money"},
                     caption=Say("funnel.coverage_caption"))  # fmt: skip
