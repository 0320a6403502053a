"""What stands on the process page where no log shows how deals went: dates, counts and lists."""

from collections.abc import Mapping

import pandas as pd

from salesops.charts.exhibit import Exhibit, Say
from salesops.charts.table import TableView

FEW = 5
Numbers = Mapping[str, float | None]


def standing_exhibit(design: pd.DataFrame) -> Exhibit | None:
    """Say where the open deals stand; None where there are none."""
    rows = design[design["kind"] == "open"]
    n = int(rows["n_open"].sum())
    if not n:
        return None
    most = rows.loc[rows["n_open"].idxmax()]
    columns = {"stage": "stage", "n_deals": "count", "amount": "money"}
    if rows["amount"].isna().all():
        del columns["amount"]
    frame = rows.assign(n_deals=rows["n_open"])
    return Exhibit(
        key="real", title=Say("process.title_standing", {
            "stage": most["stage"], "n": int(most["n_open"]), "n_open": n}),
        note=Say("process.note_standing"),
        table=TableView(frame=frame, columns=columns, caption=Say("process.standing_caption")),
    )  # fmt: skip


def late_exhibit(late: pd.DataFrame, numbers: Numbers) -> Exhibit | None:
    """List the open deals that are older than the whole drawn process; None without dates."""
    if late.empty:
        return None
    columns = {"name": "text", "owner": "text", "stage": "stage", "open_days": "days",
               "amount": "money"}  # fmt: skip
    if late["amount"].isna().all():
        del columns["amount"]
    known = numbers.get("drawn_days") is not None
    fields = {
        "n": int(numbers["n_late"] or 0),
        "n_open": len(late),
        "days": numbers["drawn_days"] if known else float(late["open_days"].max()),
    }
    return Exhibit(
        key="skips", title=Say("process.title_late" if known else "process.title_oldest", fields),
        table=TableView(frame=late, columns=columns, caption=Say("process.late_caption"), most=FEW,
                        optional=frozenset({"owner"})),
    )  # fmt: skip


def bands_exhibit(bands: pd.DataFrame, numbers: Numbers) -> Exhibit | None:
    """Say how long deals took to be won or lost, by size; None where none has ended."""
    if bands.empty:
        return None
    won, lost = (numbers.get(name) for name in ("won_days", "lost_days"))
    told = {"days": won if won is not None else lost, "drawn": numbers.get("drawn_days")}
    if won is None:
        code = "process.title_bands_lost"
    else:
        code = "process.title_bands" if told["drawn"] is not None else "process.title_bands_new"
    columns = {"band": "label", "most": "money", "n_won": "count", "won_days": "days",
               "n_lost": "count", "lost_days": "days"}  # fmt: skip
    if bands["most"].isna().all() or len(bands) == 1:
        del columns["most"]
    frame = bands.assign(band="band." + bands["band"].astype(str))
    note = Say("process.note_bands") if len(bands) > 1 else None
    return Exhibit(
        key="idle", title=Say(code, told), note=note,
        table=TableView(frame=frame, columns=columns, caption=Say("process.bands_caption")),
    )  # fmt: skip
