"""The tables of the conversion report's detail; nothing where there are no rows to show."""

import pandas as pd

from salesops.charts import conversion as pictures
from salesops.charts.exhibit import Say
from salesops.charts.parts import Shown
from salesops.charts.table import TableView

_NOTHING = Shown("", "")


def calls(frame: pd.DataFrame, days: int, *, silent: bool) -> TableView | Shown:
    """List the leads to call; where no calls are recorded, those without a deal."""
    if frame.empty:
        text = Say("conversion.calls_none").text()
        return Shown(f"<p>{text}</p>", text)
    columns = {"id": "text", "name": "name", "company": "text", "source": "text", "owner": "name",
               "status": "text", "created_on": "date", "waiting_workdays": "decimal"}  # fmt: skip
    columns.pop("waiting_workdays" if silent else "status")
    code = "conversion.calls_silent" if silent else "conversion.calls_caption"
    return TableView(
        frame=frame, columns=columns, caption=Say(code, {"n": len(frame), "days": days}),
        optional=frozenset({"id", "name", "source"}), most=4 if silent else 15,
    )  # fmt: skip


def steps(frame: pd.DataFrame, side: str, *, deals: bool) -> TableView | Shown:
    """Follow each source from lead to valid to deal to customer."""
    if frame.empty:
        text = Say("conversion.steps_none").text()
        return Shown(f"<p>{text}</p>", text)
    columns = {side: "text", "n": "count", "valid_rate": "ratio", "opportunity_rate": "ratio",
               "n_signed": "count", "rate": "ratio", "low": "ratio", "high": "ratio",
               "year_before": "ratio", "won_amount": "money"}  # fmt: skip
    shown = frame.rename(
        columns={"amount": "won_amount", "source": side, "prior_rate": "year_before"}
    )
    kept = {c: kind for c, kind in columns.items() if shown[c].notna().any()}
    code = "conversion.steps_deals" if deals else "conversion.steps_caption"
    return TableView(
        frame=shown, columns=kept, caption=Say(code, {"n": int(shown["n"].sum())}),
        optional=frozenset({"valid_rate", "n_signed", "low", "high", "year_before"}) & kept.keys(),
    )  # fmt: skip


def months(frame: pd.DataFrame, days: int) -> TableView | Shown:
    """Follow the leads of each month from lead to valid to deal to won; not of a month or two."""
    rates = ["valid_rate", "opportunity_rate", "won_rate", "untouched_share"]
    if frame[rates].notna().any(axis=1).sum() < 3:
        return _NOTHING
    columns = {"month": "text", "n": "count", "valid_rate": "ratio", "opportunity_rate": "ratio",
               "won_rate": "ratio", "untouched_share": "ratio"}  # fmt: skip
    kept = {c: kind for c, kind in columns.items() if frame[c].notna().any()}
    return TableView(
        frame=frame, columns=kept, caption=Say("conversion.months_caption", {"days": days}),
        optional=frozenset({"valid_rate"}) & kept.keys(),
    )  # fmt: skip


def speed(times: pd.DataFrame, effect: pd.DataFrame) -> TableView | Shown:
    """Say what became of leads by time of answer, as it is and with one mix of sources."""
    if times.empty:
        return _NOTHING
    ends = times["until"].tolist()
    names = [pictures.time_name(u, b) for u, b in zip(ends, [0.0, *ends], strict=False)]
    shares = ("rate", "low", "high", "adjusted_rate")
    columns = {"answer": "text", "n": "count", "lead_share": "ratio", "n_opportunity": "count"}
    columns |= dict.fromkeys(shares, "ratio")
    fields = {c: effect[c].iloc[0] for c in ("difference", "low", "high")}
    return TableView(
        frame=times.assign(answer=names), columns=columns,
        caption=Say("conversion.speed_caption", fields),
        optional=frozenset({"lead_share", "n_opportunity", "low", "high"}),
    )  # fmt: skip
