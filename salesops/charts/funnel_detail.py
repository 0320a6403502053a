"""What stands below the funnel's first page: long stays, speed, outflow and real moves."""

import math
from collections.abc import Mapping

import pandas as pd

from salesops.charts.ageing import chances_figure
from salesops.charts.exhibit import Exhibit, Say
from salesops.charts.funnel_page import largest_outflow
from salesops.charts.parts import Shown, definitions
from salesops.charts.table import TableView
from salesops.wording import label
from salesops.wording.catalogue import FORMATS

_SPEED = {"velocity": "money_per_day", "credible_pipeline": "money", "sales_cycle": "days",
          "sales_cycle_won": "days"}  # fmt: skip


def said(code: str) -> Shown:
    """Give a sentence in place of a part that does not exist."""
    nothing = Say(code).text()
    return Shown(f'<p class="quiet">{nothing}</p>', nothing)


def of_stage(chances: pd.DataFrame, stage: str) -> pd.DataFrame:
    """Give the chances of one stage."""
    return chances[chances["stage"] == stage] if len(chances) else chances


def stay(worst: str, deals: pd.DataFrame, chances: pd.DataFrame, limit: float) -> Shown:
    """Say what staying long costs in the stage where most does, beside the deals it is about."""
    mine = of_stage(chances, worst)
    if mine.empty:
        return said("funnel.stay_none")
    table = _stay_table(worst, deals, limit)
    late = mine[mine["times"] == 2].iloc[0]
    first = mine[mine["times"] == 0].iloc[0]
    norm = float(deals.loc[deals["stage"] == worst, "norm_days"].iloc[0])
    fields = {"stage": worst, "chance": first["chance"], "late_chance": late["chance"],
              "limit": limit, "n": int(late["n"]), "entered": int(first["n"]),
              "norm_days": norm}  # fmt: skip
    if late["n"] < 30 or math.isnan(late["chance"]):
        code = "funnel.title_stay_few"
    else:
        falls = late["chance"] < first["chance"]
        code = "funnel.title_stay" if falls else "funnel.title_stay_same"
    exhibit = Exhibit(
        key="stay", title=Say(code, fields), sub=Say("funnel.sub_stay", fields),
        draw=lambda width: chances_figure(mine, width),
    )  # fmt: skip
    # Below page one it is no exhibit: the grid does not apply.
    part = exhibit.html().replace("<section ", "<div ", 1).removesuffix("</section>") + "</div>"
    page = f'<div class="pair">{part}<div>{table.html()}</div></div>'
    return Shown(page, f"{exhibit.title.text()}\n{table.text()}")


def _stay_table(stage: str, deals: pd.DataFrame, limit: float) -> TableView:
    rows = deals[(deals["stage"] == stage) & (deals["age_times"] > limit)]
    rows = rows.sort_values(["amount", "id"], ascending=[False, True])
    rows = rows.assign(touched_on=pd.to_datetime(rows["last_touch_at"]).dt.date,
                       expected_on=pd.to_datetime(rows["expected_close_on"]).dt.date)  # fmt: skip
    columns = {"name": "text", "owner": "text", "amount": "money", "stage_days": "days",
               "age_times": "times", "touched_on": "date", "expected_on": "date"}  # fmt: skip
    optional = frozenset({"owner", "touched_on", "expected_on"})
    caption = Say("funnel.stay_caption", {"stage": stage, "n": len(rows), "limit": limit})
    total = {"amount": float(rows["amount"].sum())} if rows["amount"].notna().any() else {}
    return TableView(frame=rows, columns=columns, caption=caption, optional=optional, most=10,
                     total=total)  # fmt: skip


def speed(metrics: Mapping[str, float | None], win_rate: float) -> Shown:
    """Give velocity, what can be believed and the time it takes to win, as far as known."""
    known = [name for name in _SPEED if metrics.get(name) is not None]
    if not known:
        return said("funnel.speed_none")
    pairs = [(label(f"metric.{name}"), FORMATS[_SPEED[name]](metrics[name])) for name in known]
    page, plain = definitions(pairs), "\n".join(f"{k}: {v}" for k, v in pairs)
    by_norm = metrics.get("by_norm_share") or 0.0
    if by_norm > 0:
        told = Say("funnel.speed_norm", {"share": by_norm, "win_rate": win_rate})
        page, plain = page + f'<p class="small quiet">{told.html()}</p>', f"{plain}\n{told.text()}"
    return Shown(page, plain)


def moves_table(transitions: pd.DataFrame) -> TableView | Shown:
    """Give the direct moves between stages, most frequent first."""
    if transitions.empty:
        return said("funnel.moves_none")
    columns = {"from_stage": "stage", "to_stage": "stage", "move": "label", "n_moves": "count",
               "n_deals": "count", "median_days": "days"}  # fmt: skip
    heads = {"source": "from_stage", "target": "to_stage", "n": "n_moves"}
    frame = transitions.assign(move="move." + transitions["kind"].astype(str))
    frame = frame.rename(columns=heads)
    caption = Say("funnel.moves_caption", {"n": int(frame["n_moves"].sum())})
    return TableView(frame=frame, columns=columns, caption=caption,
                     optional=frozenset({"n_deals"}))  # fmt: skip


def outflow_table(bars: pd.DataFrame, deals: pd.DataFrame) -> TableView | Shown:
    """Give the deals behind the largest outflow of the waterfall."""
    worst = largest_outflow(bars)
    if not worst:
        return said("funnel.deals_none")
    rows = deals[deals["bucket"] == worst].sort_values("amount", key=abs, ascending=False)
    columns = {"id": "text", "name": "text", "owner": "text", "amount": "money"}
    caption = Say("funnel.deals_caption", {"bucket": f"bucket.{worst}", "n": len(rows)})
    return TableView(frame=rows, columns=columns, caption=caption, optional=frozenset({"id"}))
