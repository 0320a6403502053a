"""Deals that appear when they are won, and customers claimed from the pool for nothing."""

import math

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.checks.check import Check, Norm, Seen, Tested
from salesops.checks.followup import beyond, rows_of
from salesops.metrics.alldeals import all_deals
from salesops.metrics.changed import names_of
from salesops.model.calendar import Period
from salesops.model.finding import Finding

# With fewer wins or claims of a person nothing is said of them; of others there must be as many.
LEAST = 15


def _sudden(book: Book, _period: Period) -> Seen:
    """People whose deals are created only days before they are won: they were held back."""
    norms = book.settings.norms
    won = all_deals(book.without_renewals()).filter(_.outcome == "won", _.owner_id.notnull())
    seconds = won.closed_at.epoch_seconds() - won.created_at.epoch_seconds()
    frame = won.select("id", "owner_id", days=seconds.cast("float64") / 86_400).to_pandas()
    frame["sudden"] = frame["days"] < norms.sudden_days
    n, hits = len(frame), int(frame["sudden"].sum())
    norm = Norm(value=norms.sudden_share, tolerance=0.0, source="settings")
    tests = []
    groups = frame.groupby("owner_id")["sudden"].agg(["sum", "size"])
    names = dict(zip(groups.index, names_of(book, pd.Series(groups.index)), strict=True))
    for who, (mine, whole) in groups.iterrows():
        if whole < LEAST or n - whole < LEAST:
            continue
        limit = max(norm.limit, (hits - mine) / (n - whole))
        rows = frame.loc[(frame["owner_id"] == who) & frame["sudden"], "id"]
        finding = Finding(
            code="diagnosis.sudden_wins", severity="watch", subject=str(who), owner_role="lead",
            evidence={"who": str(names[who]), "n": int(mine), "n_won": int(whole),
                      "share": mine / whole, "norm": norm.limit, "days": norms.sudden_days},
            action="diagnosis.sudden_wins.action", lesson="10_forecast", trust="firm",
        )  # fmt: skip
        tests.append(Tested(p=beyond(int(mine), int(whole), limit), finding=finding,
                            rows=rows_of("opportunities", rows)))  # fmt: skip
    value = hits / n if n else math.nan
    return Seen(value=value, n=n, norm=norm, tests=tuple(tests))


def _claims(book: Book, _period: Period) -> Seen:
    """Customers that were claimed from the public pool and given back without a touch."""
    frame = claims_of(book)
    n, cold = len(frame), int(frame["cold"].sum())
    norm = Norm(value=book.settings.norms.returned_share, tolerance=0.0, source="settings")
    if not n:
        return Seen(value=math.nan, n=0, norm=norm)
    tests = []
    for who, part in frame.groupby("owner_id"):
        mine = int(part["cold"].sum())
        if len(part) < LEAST:
            continue
        name = str(names_of(book, pd.Series([who])).iloc[0])
        finding = Finding(
            code="diagnosis.empty_claims", severity="watch", subject=str(who), owner_role="lead",
            evidence={"who": name, "n": mine, "n_claims": len(part), "share": mine / len(part),
                      "norm": norm.limit, "n_accounts": int(part["account"].nunique())},
            action="diagnosis.empty_claims.action", lesson="04_customer_base", trust="firm",
        )  # fmt: skip
        ids = part.loc[part["cold"], "account"].drop_duplicates()
        tests.append(Tested(p=beyond(mine, len(part), norm.limit), finding=finding,
                            rows=rows_of("accounts", ids)))  # fmt: skip
    return Seen(value=cold / n, n=n, norm=norm, tests=tuple(tests))


def claims_of(book: Book) -> pd.DataFrame:
    """Give each claim from the pool that ended: `account`, `owner_id`, `cold`.

    It is cold if it was given back untouched; a touch is any activity with the customer between
    claim and return, whoever did it.
    """
    pool = book.unscoped("users").filter(_.role == "pool").select("id").to_pandas()["id"]
    log = book.changes.filter(
        _.entity == "accounts", _.field == "owner_id", _.changed_after.isnull()
    )
    moves = log.order_by("entity_id", "changed_at", "seq").select(
        "entity_id", "old_value", "new_value", "changed_at").to_pandas()  # fmt: skip
    after = moves.groupby("entity_id")[["new_value", "changed_at"]].shift(-1)
    claim = (
        moves["old_value"].isin(pool) & ~moves["new_value"].isin(pool) & after["new_value"].notna()
    )
    spells = pd.DataFrame({
        "account": moves["entity_id"], "owner_id": moves["new_value"], "since": moves["changed_at"],
        "until": after["changed_at"], "back": after["new_value"].isin(pool),
    })[claim].reset_index(names="spell")  # fmt: skip
    if spells.empty:
        return spells.assign(cold=pd.Series(dtype=bool))
    acts = book.activities.filter(_.account_id.notnull()).select("account_id", "occurred_at")
    acts = acts.filter(_.account_id.isin(ibis.memtable({"id": spells["account"].unique()}).id))
    near = spells.merge(acts.to_pandas(), left_on="account", right_on="account_id")
    inside = near["occurred_at"].between(near["since"], near["until"])
    touched = set(near.loc[inside, "spell"])
    return spells.assign(cold=spells["back"] & ~spells["spell"].isin(touched))


CHECKS: tuple[Check, ...] = (
    Check(id="sudden_wins", pain="teamwork", unit="ratio",
          needs=("opportunities.created_at", "opportunities.closed_at", "opportunities.owner_id"),
          look=_sudden),
    Check(id="empty_claims", pain="teamwork", unit="ratio",
          needs=("accounts.owner_id", "activities.account_id"), look=_claims, apart=True,
          needs_log=("accounts.owner_id",)),
)  # fmt: skip
