"""Why a deal is said to stand still, in words of a fixed catalogue, the company's norm beside it.

A reason holds where a value lies on the worse side of what is usual in the deal's stage, and the
chance of standing still falls when the usual value is put in its place. That says what the model
looks at, not what causes what.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.methods.chances import Model

# A reason that moves the chance by less is none; so many are told.
LEAST, TOLD = 0.02, 3


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A reason of the catalogue; its sentence is `stall.reason_<id>`.

    Attributes
    ----------
    moves
        Features that are put to the usual together.
    shows
        The feature whose value and norm are told.
    high
        Whether high values are the worse ones.
    """

    id: str
    moves: tuple[str, ...]
    shows: str
    high: bool = True


REASONS = (
    Reason(id="silent", moves=("silent_days", "touches_14", "touches_30"), shows="silent_days"),
    Reason(id="in_stage", moves=("stage_days", "stage_times"), shows="stage_days"),
    Reason(id="old", moves=("age_days",), shows="age_days"),
    Reason(id="pushed", moves=("n_pushes",), shows="n_pushes"),
    Reason(id="date_over", moves=("to_close_days",), shows="to_close_days", high=False),
    Reason(id="date_far", moves=("to_close_days",), shows="to_close_days"),
    Reason(id="next_step", moves=("next_step_days",), shows="next_step_days", high=False),
    Reason(id="load", moves=("owner_deals",), shows="owner_deals"),
    Reason(id="handed_over", moves=("owner_days",), shows="owner_days", high=False),
    Reason(id="back", moves=("n_back",), shows="n_back"),
    Reason(id="skipped", moves=("n_skipped",), shows="n_skipped"),
    Reason(id="large", moves=("amount",), shows="amount"),
    Reason(id="tickets", moves=("open_tickets",), shows="open_tickets"),
    Reason(id="lost_before", moves=("lost_before",), shows="lost_before"),
    Reason(id="holidays", moves=("work_days_ahead",), shows="work_days_ahead", high=False),
)
# Dates and next steps that lie ahead are no reason, however near.
OVER = frozenset({"date_over", "next_step"})


def usual(past: pd.DataFrame, numbers: tuple[str, ...]) -> pd.DataFrame:
    """Give the middle value of every feature, by stage where stages are known."""
    if "stage" in past:
        return past.groupby("stage")[list(numbers)].median()
    return past[list(numbers)].median().to_frame().T.set_axis([""])


def reasons(
    now: pd.DataFrame, past: pd.DataFrame, model: Model, catalogue: tuple[Reason, ...] = REASONS
) -> pd.DataFrame:  # fmt: skip
    """Give the reasons of each deal, the weightiest first.

    Parameters
    ----------
    now
        Deals with the features of the model.
    past
        Rows of the same kind that the usual is taken from.
    model
        Of the chance of standing still, or of leaving.
    catalogue
        The reasons that may be told.

    Returns
    -------
    pandas.DataFrame
        One row per deal and reason, at most three: `id`, `reason`, `value`, `norm` (days over
        a date count upwards), `adds` (chance, 0-1).
    """
    columns = ["id", "reason", "value", "norm", "adds"]
    if now.empty or model.kind == "base":
        return pd.DataFrame(columns=columns)
    norms = usual(past, model.task.numbers)
    stage = now["stage"] if "stage" in now else pd.Series("", index=now.index)
    said = model.chance(now)
    found = []
    for reason in catalogue:
        if not set(reason.moves) <= set(model.task.numbers):
            continue
        value = now[reason.shows].to_numpy(float)
        norm = stage.map(norms[reason.shows]).to_numpy(float)
        worse = value > norm if reason.high else value < norm
        if reason.id in OVER:
            worse &= value < 0
        if not worse.any():
            continue
        moved = {m: stage.map(norms[m]).to_numpy(float) for m in reason.moves}
        adds = said - model.chance(now.assign(**moved))
        if reason.id in OVER:
            value, norm = -value, np.maximum(-norm, 0.0)
        part = pd.DataFrame({"id": now["id"].to_numpy(), "reason": reason.id, "value": value,
                             "norm": norm, "adds": adds})  # fmt: skip
        found.append(part[worse & (adds >= LEAST)])
    if not found:
        return pd.DataFrame(columns=columns)
    rows = pd.concat(found, ignore_index=True)
    rows = rows.sort_values(["id", "adds"], ascending=[True, False], kind="stable")
    return rows.groupby("id", sort=False).head(TOLD).reset_index(drop=True)


def by_rule(now: pd.DataFrame, touch_days: "pd.Series[float]") -> pd.DataFrame:
    """Give what is plainly wrong with each deal, where too little is known to weigh it."""
    stage = now["stage"] if "stage" in now else pd.Series("", index=now.index)
    norm = stage.map(touch_days).to_numpy(float)
    rules = (("silent", "silent_days", norm, True),
             ("date_over", "to_close_days", np.zeros(len(now)), False),
             ("next_step", "next_step_days", np.zeros(len(now)), False))  # fmt: skip
    found = [pd.DataFrame(columns=["id", "reason", "value", "norm", "adds"])]
    for name, column, limit, high in rules:
        if column not in now:
            continue
        value = now[column].to_numpy(float)
        holds = value > limit if high else value < limit
        value = value if high else -value
        found.append(pd.DataFrame({"id": now["id"].to_numpy(), "reason": name, "value": value,
                                   "norm": limit, "adds": np.nan})[holds])  # fmt: skip
    parts = [part for part in found if len(part)] or found[:1]
    return pd.concat(parts, ignore_index=True)


def signs(now: pd.DataFrame, past: pd.DataFrame, catalogue: tuple[Reason, ...]) -> pd.DataFrame:
    """Give what stands out about each row, where no model weighs it: values of the worst tenth.

    Returns
    -------
    pandas.DataFrame
        As `reasons`, `adds` null, in the catalogue's order.
    """
    found = [pd.DataFrame(columns=["id", "reason", "value", "norm", "adds"])]
    for place, reason in enumerate(catalogue):
        if reason.shows not in now or now.empty or past.empty:
            continue
        value, known = now[reason.shows].to_numpy(float), past[reason.shows].astype(float)
        norm = float(known.median())
        edge = float(known.quantile(0.9 if reason.high else 0.1))
        high, low = (value >= edge) & (value > norm), (value <= edge) & (value < norm)
        worst = high if reason.high else low
        rows = pd.DataFrame({"id": now["id"].to_numpy(), "reason": reason.id, "value": value,
                             "norm": norm, "adds": np.nan, "place": place})  # fmt: skip
        found.append(rows[worst])
    parts = [part for part in found if len(part)] or found[:1]
    rows = pd.concat(parts, ignore_index=True)
    if "place" in rows:
        rows = rows.sort_values(["id", "place"], kind="stable").drop(columns="place")
    return rows.groupby("id", sort=False).head(TOLD).reset_index(drop=True)


def as_told(reasons: pd.DataFrame, ids: "pd.Series[str]") -> list[list[tuple[str, float, float]]]:
    """Give each row's reasons as `(reason, value, norm)`, the weightiest first."""
    told: dict[str, list[tuple[str, float, float]]] = {}
    for row in reasons.itertuples():
        fact = (str(row.reason), float(row.value), float(row.norm))
        told.setdefault(str(row.id), []).append(fact)
    return [told.get(name, []) for name in ids]
