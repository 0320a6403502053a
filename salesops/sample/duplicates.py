"""P6: the same customer entered twice, and look-alikes that are another company."""

import numpy as np
import pandas as pd

from salesops.sample import names
from salesops.sample.accounts import spells_in_order
from salesops.sample.company import Company
from salesops.sample.draws import NONE, Ints
from salesops.sample.options import scaled_share
from salesops.sample.timeline import DAY

SHARE, TWO_OWNERS = 0.06, 0.20
LOOK_ALIKES = 0.03
KINDS = ("short", "full_width", "subsidiary")


def duplicate_accounts(company: Company) -> None:
    """Add duplicates and look-alikes as further accounts; later deals may go to a duplicate."""
    share = scaled_share(0.0, SHARE, company.options.size("P6"))
    accounts, draws = company["accounts"], company.draws("P6")
    n = len(accounts)
    order = draws.order(n)
    n_alike = round(n * LOOK_ALIKES)
    # What people left behind on their last day, or claimed from the pool, was entered once.
    left = set(company.facts["P5"]["leavers"])
    spells = company["account_owners"]
    theirs = np.isin(order, spells.account[spells.new.isin(left)].to_numpy())
    theirs |= np.isin(order, company.facts.get("claimed", {}).get("accounts", []))
    free = order[~theirs]
    alike = np.sort(free[len(free) - min(n_alike, len(free)) :])
    doubled = np.sort(free[: len(free) - len(alike)][: round((n + n_alike) * share)])
    kind = draws.whole(0, len(KINDS) - 1, len(doubled))
    copies = _copies(company, doubled, kind)
    others = _look_alikes(company, alike)
    created = np.concatenate([copies.created.to_numpy(), others.created.to_numpy()])
    of = np.concatenate([doubled, alike])
    is_copy = np.arange(len(of)) < len(doubled)
    number = n + np.arange(len(of))
    two = np.zeros(len(of), bool)
    two[draws.order(len(doubled))[: round(TWO_OWNERS * len(doubled))]] = True
    company["accounts"] = pd.concat([accounts, copies, others], ignore_index=True)
    _own(company, number, of, created, two | ~is_copy)
    _redirect(company, number[is_copy], doubled, created[is_copy])
    company.facts["P6"] = {
        "pairs": [
            {"account": int(a), "other": int(b), "kind": KINDS[k], "duplicate": True,
             "two_owners": bool(t)}
            for a, b, k, t in zip(doubled, number, kind, two, strict=False)
        ] + [
            {"account": int(a), "other": int(b), "kind": "look_alike", "duplicate": False,
             "two_owners": False}
            for a, b in zip(alike, number[len(doubled) :], strict=True)
        ],
    }  # fmt: skip


def _copies(company: Company, of: Ints, kind: Ints) -> pd.DataFrame:
    draws = company.draws("P6 copies")
    rows = company["accounts"].iloc[of].reset_index(drop=True).copy()
    n = len(rows)
    named = zip(rows["name"], rows.city, kind, strict=True)
    rows["name"] = [_variant(name, city, int(k)) for name, city, k in named]
    same_tax = draws.chance(0.4, n) & (kind != KINDS.index("subsidiary"))
    rows["tax"] = np.where(same_tax, rows.tax, None)
    rows["phone"] = np.where(draws.chance(0.5, n), rows.phone, names.phones(draws, n))
    rows["created"] = _later(company, rows, draws.whole(20, 500, n))
    rows["bought"] = NONE
    return rows


def _variant(name: str, city: str, kind: int) -> str:
    """Write a company's name as somebody else enters it."""
    bare = name
    for form in sorted(names.LEGAL_FORMS, key=len, reverse=True):
        bare = bare.removesuffix(form)
    core = bare.removeprefix(city)
    if KINDS[kind] == "short":
        return core
    if KINDS[kind] == "full_width":
        return f"{core}（{city}）有限公司"
    return f"{name}{city}分公司"


def _later(company: Company, rows: pd.DataFrame, days: Ints) -> Ints:
    line = company.timeline
    latest = line.end * DAY - 20 * DAY
    start = np.maximum(rows.created.to_numpy(), line.start * DAY)
    return np.minimum(start + days * DAY, np.maximum(start + 3600, latest))


def _look_alikes(company: Company, of: Ints) -> pd.DataFrame:
    """Companies of the same trade name in another city and trade."""
    draws = company.draws("P6 look-alikes")
    rows = company["accounts"].iloc[of].reset_index(drop=True).copy()
    n = len(rows)
    city = names.cities(draws, rows.region.to_numpy())
    industry = names.texts(names.INDUSTRIES)[draws.whole(0, len(names.INDUSTRIES) - 1, n)]
    named = zip(rows["name"], rows.city, rows.industry, strict=True)
    brand = [_brand(*parts) for parts in named]
    form = names.texts(names.LEGAL_FORMS)[draws.pick(names.LEGAL_WEIGHTS, n)]
    same = (industry == rows.industry.to_numpy()) & (city == rows.city.to_numpy())
    industry = np.where(same, "仪器仪表", industry)
    rows["name"] = city + np.array(brand, dtype=object) + industry + form
    rows["city"], rows["industry"] = city, industry
    rows["tax"] = names.texts([f"9198{x:014d}" for x in draws.whole(0, 10**14 - 1, n)])
    rows["phone"] = names.phones(draws, n)
    rows["created"] = _later(company, rows, draws.whole(5, 300, n))
    rows["bought"] = NONE
    return rows


def _brand(name: str, city: str, industry: str) -> str:
    return name.removeprefix(city).split(industry)[0]


def _own(company: Company, number: Ints, of: Ints, created: Ints, other: "np.ndarray") -> None:
    """Give the new accounts owners: those of the original all along, or somebody else who stays."""
    spells, draws, users = company["account_owners"], company.draws("P6 owners"), company["users"]
    parts = [spells]
    end = company.timeline.end_at
    stays = (users.role == "rep") & (users.left == NONE) & (users.hired * DAY <= end)
    reps = np.flatnonzero(stays)
    hired, team = users.hired.to_numpy() * DAY, users.team.to_numpy()
    by_account = dict(list(spells.groupby("account")))
    for account, original, at, someone in zip(
        number.tolist(), of.tolist(), created.tolist(), other.tolist(), strict=True
    ):
        own = by_account[original]
        # Until a colleague is there, and else all along, it is whose the original is.
        since, until = own["at"].where(own["at"] > at, at), 2**62
        if someone:
            now = own.new.to_numpy()[max(int((own["at"] <= end).sum()) - 1, 0)]
            mates = reps[(team[reps] == team[own.new.iloc[0]]) & (reps != now)]
            there = mates[hired[mates] <= at]
            found = next((some for some in (there, mates, reps) if len(some)), reps)
            chosen = int(found[draws.whole(0, len(found) - 1, 1)[0]])
            until = max(at, int(hired[chosen]))
            parts.append(pd.DataFrame({"account": [account], "at": [until], "new": [chosen]}))
        last = max(int((own["at"] <= at).sum()) - 1, 0)
        kept = (np.arange(len(own)) >= last) & (since < until)
        parts.append(pd.DataFrame({"account": account, "at": since, "new": own.new})[kept])
    company["account_owners"] = spells_in_order(pd.concat(parts, ignore_index=True))


def _redirect(company: Company, number: Ints, of: Ints, created: Ints) -> None:
    """Book half of the later deals of a customer on its duplicate."""
    deals, draws = company["deals"], company.draws("P6 deals")
    to = np.full(len(company["accounts"]), NONE)
    since = np.full(len(company["accounts"]), 2**62)
    to[of], since[of] = number, created
    account = deals.account.to_numpy()
    goes = (to[account] != NONE) & (deals.created.to_numpy() > since[account])
    goes &= draws.chance(0.5, len(deals))
    deals["account"] = np.where(goes, to[account], account)
