"""What an examination says of each check and each pain, beside the same one period earlier."""

import math

import numpy as np
import pandas as pd

from salesops.checks.check import PAINS, Check
from salesops.checks.judged import Judged

RANK = {"unknown": -1, "good": 0, "watch": 1, "act": 2}


def status_of(judged: Judged | None, check: Check) -> str:
    """Say how a check came out: `act`, `watch`, `good`, or `unknown` where it could not look."""
    if judged is None or check.id not in judged.seen:
        return "unknown"
    severities = {
        test.finding.severity
        for test, of in zip(judged.held, judged.check_of, strict=True)
        if of == check.id
    }
    return "act" if "act" in severities else "watch" if "watch" in severities else "good"


def checks_frame(
    checks: tuple[Check, ...], now: Judged, before: Judged | None
) -> pd.DataFrame:  # fmt: skip
    """Give one row per check.

    Returns
    -------
    pandas.DataFrame
        `check`, `pain`, `unit`, `status`, `value`, `n` (looked at), `norm`, `tolerance`,
        `norm_from`, `n_held` (comparisons that hold), `at_stake`, `low`, `middle`, `high`
        (recoverable, company currency), `prior_status`, `prior_value`, `prior_middle`.
    """
    return pd.DataFrame([_row(check, now, before) for check in checks])


def _row(check: Check, now: Judged, before: Judged | None) -> dict[str, object]:
    seen, earlier = now.seen.get(check.id), before.seen.get(check.id) if before else None
    norm = seen.norm if seen else None
    money = _money(now, check)
    return {
        "check": check.id, "pain": check.pain, "unit": check.unit,
        "status": status_of(now, check),
        "value": seen.value if seen else math.nan, "n": seen.n if seen else 0,
        "norm": norm.value if norm else math.nan,
        "tolerance": norm.tolerance if norm else math.nan,
        "norm_from": norm.source if norm else "",
        "n_held": sum(of == check.id for of in now.check_of), **money,
        "prior_status": status_of(before, check),
        "prior_value": earlier.value if earlier else math.nan,
        "prior_middle": _money(before, check)["middle"] if before else math.nan,
    }  # fmt: skip


def _money(judged: Judged, check: Check) -> dict[str, float]:
    """Sum the money of a check's findings; null where none of them has any."""
    sums = {"at_stake": math.nan, "low": math.nan, "middle": math.nan, "high": math.nan}
    for test, of in zip(judged.held, judged.check_of, strict=True):
        finding = test.finding
        if of != check.id or finding.at_stake is None:
            continue
        back = finding.recoverable
        got = (back.low, back.middle, back.high) if back else (0.0, 0.0, 0.0)
        added = dict(zip(sums, (finding.at_stake, *got), strict=True))
        sums = {k: added[k] + (0.0 if math.isnan(v) else v) for k, v in sums.items()}
    return sums


def pains_frame(checks: pd.DataFrame) -> pd.DataFrame:
    """Give one row per pain.

    Returns
    -------
    pandas.DataFrame
        `pain`, `status` (the worst of its checks), `n_checks`, `n_seen` (could look), `n_bad`
        (found something), `at_stake`, `low`, `middle`, `high`, `worst` (the check that says most),
        `prior_status`, `prior_n_bad`.
    """
    rows = []
    for pain in PAINS:
        own = checks[checks["pain"] == pain]
        bad = own["status"].isin(["act", "watch"])
        money = own[["at_stake", "low", "middle", "high"]].sum(min_count=1)
        rows.append({
            "pain": pain, "status": _worst(own["status"]), "n_checks": len(own),
            "n_seen": int((own["status"] != "unknown").sum()), "n_bad": int(bad.sum()),
            **{k: float(v) for k, v in money.items()}, "worst": _most(own[bad]),
            "prior_status": _worst(own["prior_status"]),
            "prior_n_bad": int(own["prior_status"].isin(["act", "watch"]).sum()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _worst(states: "pd.Series[str]") -> str:
    return max(states, key=RANK.__getitem__, default="unknown")


def _most(bad: pd.DataFrame) -> str:
    """Name the check with most to bring back; of those without money the one to act on."""
    if bad.empty:
        return ""
    order = bad.assign(rank=bad["status"].map(RANK), money=bad["middle"].fillna(0.0))
    return str(
        order.sort_values(["money", "rank"], ascending=False, kind="stable")["check"].iloc[0]
    )


def since_frame(checks: pd.DataFrame) -> pd.DataFrame:
    """Give the checks that came out otherwise than last time, then those that still find something.

    Returns
    -------
    pandas.DataFrame
        `check`, `unit`, `change` (`worse`, `better`, `same`), `prior_status`, `status`,
        `prior_value`, `value`; empty where last time is not known.
    """
    columns = ["check", "unit", "change", "prior_status", "status", "prior_value", "value"]
    both = checks[(checks["status"] != "unknown") & (checks["prior_status"] != "unknown")]
    step = both["status"].map(RANK) - both["prior_status"].map(RANK)
    both = both.assign(change=np.select([step > 0, step < 0], ["worse", "better"], "same"))
    told = both[(step != 0) | both["status"].isin(["act", "watch"])]
    order = told["change"].map({"worse": 0, "better": 1, "same": 2})
    by_money = told.assign(order=order, money=told["middle"].fillna(0.0))
    by_money = by_money.sort_values(["order", "money"], ascending=[True, False], kind="stable")
    return by_money[columns].reset_index(drop=True)
