"""Which customers may leave, what is expected to stay, and whose renewal nobody has opened?"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Setting
from salesops.analyses.scoredresult import ScoredResult, scored_of, unscored
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import churn_page as words
from salesops.charts.exhibit import Exhibit
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.methods.intervals import wilson
from salesops.metrics.catalogue import find_metric
from salesops.metrics.churns import Churns, churns
from salesops.metrics.contractstates import terms
from salesops.metrics.repeatorders import Repeats, repeats
from salesops.metrics.retention import LOST, RATE_COLUMNS, lost, rates
from salesops.metrics.stallreasons import as_told
from salesops.model.finding import Finding, Gap, Method

# Days ahead that are told of, and within which a renewal should be open.
AHEAD, OPENED_BY = 90, 60
# Of the renewals that end within these days so many may wait to be opened.
UNOPENED = 0.15
EXAMPLE, AROUND = 0.7, 0.1
Z80 = 1.2816
DUE = ["month", "n", "due", "expected"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Churn(ScoredResult):
    """Which customers may leave.

    Attributes
    ----------
    coming
        One row per month of the next 90 days: `month`, `n`, `due` (yearly value), `expected`.
    rates
        One row per rate: `rate` (a metric's id), `value`, `low`, `high`, `prior`, `n`.
    risk
        One row per contract that ends within 180 days (without contracts that recur: per
        customer): `id`, `customer`, `owner_id`, `owner`, `money`, `ends_on`, `leaves`, `loss`
        (money times chance), `because` (reasons as `(reason, value, norm)`).
    unopened
        Contracts that end within 60 days without an open renewal: the same columns.
    lost
        What was not renewed in the quarter before, by reason: `reason`, `n`, `money`.
    by_contract
        Whether customers have contracts that recur; else a customer without an order for a year
        has left.
    """

    coming: pd.DataFrame
    rates: pd.DataFrame
    risk: pd.DataFrame
    unopened: pd.DataFrame
    lost: pd.DataFrame
    by_contract: bool

    @property
    def risk_table(self) -> TableView | Shown:
        """Everybody at risk."""
        return words.risk_table(self.risk, by_contract=self.by_contract)

    @property
    def unopened_table(self) -> TableView | Shown:
        """The renewals that nobody has opened."""
        return words.unopened_table(self.unopened)


@shared
def churn(
    book: Book, *, period: str = "latest", touch_cost: float = 300.0, saved_share: float = 0.05
) -> Churn:
    """Which customers may leave, what is expected to stay, and what nobody has opened?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`; a period that is over is seen from its end.
    touch_cost, saved_share
        For the cost curve: money that a visit costs, and the share of what leaves that visits are
        supposed to save.

    Returns
    -------
    Churn
        What falls due, retention, who is at risk and why, renewals not opened, and what was lost.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    A contract leaves when no other renews it by the end of the grace days. Without contracts that
    recur a customer leaves by not ordering for a year; BG/NBD stands beside as the baseline.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> churn(open_book("tests/tiny_company")).by_contract
    False
    """
    setting = Setting(book=book, period=book.period(period))
    stood = book if book.date <= setting.period.end else book.as_of(setting.period.end)
    seen = _seen(stood, touch_cost, saved_share)
    exhibits = words.exhibits(seen, lambda name: explain(book, name, period=period))
    m = seen.numbers
    rate = m["renewal_rate"] if seen.by_contract else None
    return Churn(
        report="churn", setting=setting, verdict=words.verdict(seen), metrics=m,
        exhibits=exhibits, findings=seen.findings, method=_method(seen),
        gaps=tuple(_gaps(stood, exhibits, seen)),
        lead=Lead(name="lead.renewed", kind="ratio", value=rate, prior=m["prior_renewal_rate"],
                  better="up"),
        coming=seen.due, rates=seen.rates, risk=seen.risk, unopened=seen.unopened, lost=seen.lost,
        scored=seen.scored, by_contract=seen.by_contract,
    )  # fmt: skip


def _has_terms(book: Book) -> bool:
    needs = find_metric("renewal_rate").needs
    return all(book.has(need) for need in needs) and not terms(book).empty


def _seen(book: Book, cost: float, saved: float) -> words.Seen:
    """Lay out the frames, each worked out once."""
    by_contract = _has_terms(book)
    found = churns(book) if by_contract else None
    again = None if by_contract or not book.has("opportunities.account_id") else repeats(book)
    risk = _at_risk(book, found) if found is not None else _of_orders(book, again)
    told = rates(book) if by_contract else pd.DataFrame(columns=RATE_COLUMNS)
    due = _due(book, risk, found) if by_contract else pd.DataFrame(columns=DUE)
    soon = risk[risk["ends_on"] <= _day(book, OPENED_BY)] if by_contract and len(risk) else risk[:0]
    unopened = soon[soon["renewal_open"] == 0] if "renewal_open" in soon else soon[:0]
    gone = lost(book) if by_contract else pd.DataFrame(columns=LOST)
    at = told.set_index("rate") if len(told) else pd.DataFrame()
    near = risk[risk["ends_on"] <= _day(book, AHEAD)] if by_contract and len(risk) else risk[:0]
    kept = _kept(found, near)
    expected = float(kept.sum()) if len(near) else math.nan
    spread = _spread(near)
    learnt = found if found is not None else again
    scored = unscored("churn")
    if learnt is not None:
        scored = scored_of("churn", learnt.judged, learnt.model, learnt.past,
                           _example(learnt.judged), cost=cost, saved=saved)  # fmt: skip
    numbers = {
        **{f"example_{name}": value for name, value in scored.example.items()},
        "n_due": float(len(near)), "due": float(near["money"].sum()) if len(near) else math.nan,
        "expected": expected, "expected_low": max(expected - spread, 0.0),
        "expected_high": expected + spread,
        "n_soon": float(len(soon)), "n_unopened": float(len(unopened)),
        "unopened_money": float(unopened["money"].sum()) if len(unopened) else 0.0,
        "renewal_rate": _cell(at, "renewal_rate", "value"),
        "prior_renewal_rate": _cell(at, "renewal_rate", "prior"),
        "nrr": _cell(at, "nrr", "value"), "grr": _cell(at, "grr", "value"),
        "n_customers": 0.0 if by_contract else float(len(risk)),
        "expected_back": 0.0 if by_contract or risk.empty else float((1 - risk["leaves"]).sum()),
        "n_first": float(len(risk.head(words.FIRST))),
        "risk_money": float(risk.head(words.FIRST)["money"].sum()) if len(risk) else 0.0,
        "risk_loss": float(risk.head(words.FIRST)["loss"].sum()) if len(risk) else 0.0,
    }  # fmt: skip
    if len(near):
        numbers["expected_high"] = min(numbers["expected_high"], numbers["due"])
    return words.Seen(
        settings=book.settings, findings=_findings(unopened, soon),
        numbers={k: None if math.isnan(v) else v for k, v in numbers.items()},
        by_contract=by_contract, due=due, rates=told, risk=risk, unopened=unopened, lost=gone,
        scored=scored,
    )  # fmt: skip


def _cell(frame: pd.DataFrame, row: str, column: str) -> float:
    return float(frame.loc[row, column]) if row in frame.index else math.nan


def _day(book: Book, days: int) -> pd.Timestamp:
    return pd.Timestamp(book.date) + pd.Timedelta(days=days)


def _spread(near: pd.DataFrame) -> float:
    """Give how far the sum of what is renewed may lie off, eight times in ten."""
    if near.empty:
        return math.nan
    p = near["leaves"].to_numpy(float)
    return Z80 * float(np.sqrt((near["money"].to_numpy(float) ** 2 * p * (1 - p)).sum()))


def _kept(found: Churns | None, near: pd.DataFrame) -> "pd.Series[float]":
    """Give the money of each contract that is expected to stay.

    Where everybody has one chance it is that of money, not of contracts: large ones stay oftener.
    """
    if found is None or near.empty:
        return pd.Series(dtype=float)
    if found.model.kind != "base":
        return near["money"] * (1 - near["leaves"])
    ended = found.past.drop_duplicates("unit", keep="last")
    share = float((ended["money"] * ~ended["happened"].astype(bool)).sum() / ended["money"].sum())
    return near["money"] * share


def _named(book: Book, frame: pd.DataFrame) -> pd.DataFrame:
    """Add the customer's and the owner's name."""
    accounts = book.unscoped("accounts").select("id", "name").to_pandas().set_index("id")["name"]
    people = book.unscoped("users").select("id", "name").to_pandas().set_index("id")["name"]
    return frame.assign(
        customer=frame["account_id"].map(accounts).fillna(frame["account_id"]),
        owner=frame["owner_id"].map(people).fillna(frame["owner_id"]),
    )


def _at_risk(book: Book, found: Churns) -> pd.DataFrame:
    """Give the contracts in scope that end within half a year, most money likely to go first."""
    mine = set(book.contracts.select("id").to_pandas()["id"])
    rows = found.now[found.now["id"].isin(mine)]
    rows = _named(book, rows).assign(loss=rows["money"] * rows["leaves"])
    rows = rows.assign(because=as_told(found.reasons, rows["id"]))
    keep = ["id", "customer", "owner_id", "owner", "money", "ends_on", "leaves", "loss", "because",
            "renewal_open"]  # fmt: skip
    rows = rows.sort_values(["loss", "id"], ascending=[False, True])
    return rows[[c for c in keep if c in rows]].reset_index(drop=True)


def _of_orders(book: Book, found: Repeats | None) -> pd.DataFrame:
    """Give the customers in scope, most money likely not to come back first."""
    columns = ["id", "customer", "owner_id", "owner", "money", "leaves", "loss", "because"]
    if found is None or not book.has("accounts.name"):
        return pd.DataFrame(columns=columns)
    owned = book.accounts
    owner = owned.owner_id if "owner_id" in owned.columns else None
    mine = owned.select("id", owner_id=owner) if owner is not None else owned.select("id")
    rows = found.now.merge(mine.to_pandas(), left_on="customer", right_on="id")
    if rows.empty:
        return pd.DataFrame(columns=columns)
    rows = rows.assign(account_id=rows["id"], owner_id=rows.get("owner_id"))
    because = [[("long_ago", float(r), float(p) if p == p else float(r))]
               for r, p in zip(rows["recency"], rows["pace"], strict=True)]  # fmt: skip
    rows = _named(book, rows).assign(money=rows["spent"], because=because,
                                     loss=rows["spent"] * rows["leaves"])  # fmt: skip
    return rows.sort_values(["loss", "id"], ascending=[False, True])[columns].reset_index(drop=True)


def _due(book: Book, risk: pd.DataFrame, found: Churns | None) -> pd.DataFrame:
    near = risk[risk["ends_on"] <= _day(book, AHEAD)] if len(risk) else risk
    if near.empty:
        return pd.DataFrame(columns=DUE)
    kept = _kept(found, near)
    month = near["ends_on"].dt.strftime("%Y-%m")
    sums = near.assign(kept=kept, month=month).groupby("month")
    return sums.agg(
        n=("money", "size"), due=("money", "sum"), expected=("kept", "sum")
    ).reset_index()


def _findings(unopened: pd.DataFrame, soon: pd.DataFrame) -> tuple[Finding, ...]:
    """Say where renewals that end soon are not open."""
    low, _high = wilson(len(unopened), max(len(soon), 1))
    if unopened.empty or low <= UNOPENED:
        return ()
    money = float(unopened["money"].sum())
    return (Finding(
        code="churn.unopened", severity="watch",
        evidence={"n": len(unopened), "n_soon": len(soon), "days": OPENED_BY, "amount": money},
        at_stake=money, owner_role="lead", action="churn.unopened.action",
        assumption="churn.unopened.assumption", lesson="11_after_sales",
    ),)  # fmt: skip


def _example(rows: pd.DataFrame) -> dict[str, float]:
    """Give what became of those of whom most was feared: the upper tenth."""
    if rows.empty:
        return {}
    edge = rows["score"].quantile(0.9)
    high = rows[rows["score"] >= edge]
    return {"said": float(high["score"].mean()), "n": len(high),
            "left": float(high["happened"].mean())}  # fmt: skip


def _gaps(book: Book, exhibits: dict[str, Exhibit], seen: words.Seen) -> list[Gap]:
    """Say which exhibits have nothing to show, and why."""
    found = []
    for key in ("due", "rates", "lost", "risk", "unopened"):
        if key in exhibits:
            continue
        if not seen.by_contract and key != "risk":
            found.append(Gap(what=f"what.churn_{key}", reason="missing_table",
                             needs="contract_lines"))  # fmt: skip
        else:
            found.append(Gap(what=f"what.churn_{key}", reason="no_rows"))
    if seen.scored.kind == "base":
        reason = "few_ended" if seen.scored.measures.empty else "no_better_churn"
        found.append(Gap(what="what.churn_chances", reason=reason))
    return found


def _method(seen: words.Seen) -> Method:
    n = {"contracts": len(seen.risk)} if seen.by_contract else {"customers": len(seen.risk)}
    if len(seen.scored.measures):
        n["landmarks"] = int(seen.scored.measures["n"].iloc[0])
    source = "method.contract_landmarks" if seen.by_contract else "method.repeat_orders"
    return Method(source=(source, "method.rolling_origin"),
                  assumptions=("method.reasons_no_cause",), n=n,
                  blind_spots=("blind.unlogged_touches",))  # fmt: skip
