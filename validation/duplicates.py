"""Customers entered twice: which pairs that are named are one company, and which are missed."""

import time
from collections.abc import Iterator

import pandas as pd

from salesops.methods.intervals import wilson
from salesops.methods.linkage import same_companies
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_sample
from validation.companies import KEPT, Company, generated
from validation.table import Claim

MANY = 100_000


def labelled(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare a company's customers; give the pairs that are known, and those that are named."""
    place = generated(Company(seed=seed, size=1.0))
    accounts = pd.read_parquet(place / "accounts.parquet")
    known = pd.read_csv(place / "truth" / "pairs.csv")
    by_id = accounts.set_index("id")
    shares = pd.Series(False, index=known.index)
    for column in ("tax_id", "phone"):
        one, other = (by_id[column].reindex(known[s]).to_numpy() for s in ("account", "other"))
        shares |= (one == other) & pd.notna(one)
    known = known.assign(key=_keys(known["account"], known["other"]), shares=shares)
    named = same_companies(accounts)
    named = named.assign(key=_keys(named["id"], named["other"]),
                         shares=named["reason"].str.contains("tax_id|phone|domain"))  # fmt: skip
    real = set(known.loc[known["duplicate"], "key"])
    return known.assign(named=known["key"].isin(set(named["key"]))), named.assign(
        real=named["key"].isin(real)
    )


def _keys(one: "pd.Series[str]", other: "pd.Series[str]") -> list[str]:
    return [" ".join(sorted(pair)) for pair in zip(one, other, strict=True)]


def _claim(what: str, hits: int, n: int, aim: float) -> Claim:
    low, high = wilson(hits, n)
    return Claim(part="duplicates", what=what, value=hits / n, low=low, high=high, n=n,
                 aim=f"at least {aim:.2f}" if aim else "shown", holds=hits / n >= aim)  # fmt: skip


def _speed() -> Claim:
    """Time the comparison of 100,000 customers."""
    place = KEPT / "many"
    if not (place / "accounts.parquet").exists():
        write_sample(place, SampleOptions(seed=1, deals_per_month=3_600))
    accounts = pd.read_parquet(place / "accounts.parquet")
    parts = [accounts.assign(id=accounts["id"] + f"-{i}") for i in range(MANY // len(accounts) + 1)]
    # Repeated lists would hold each company several times: another brand in each.
    for i, part in enumerate(parts):
        part["name"] = part["name"].str.replace(r"^(..)", rf"\g<1>{chr(0x7532 + i)}", regex=True)
        part[["tax_id", "phone"]] = part[["tax_id", "phone"]].map(
            lambda text, i=i: f"{text[:-1]}{i}" if isinstance(text, str) else text
        )
    many = pd.concat(parts, ignore_index=True).head(MANY)
    start = time.perf_counter()
    same_companies(many)
    took = time.perf_counter() - start
    return Claim(part="duplicates", what="seconds for 100,000 customers", value=took, low=took,
                 high=took, n=len(many), aim="at most 120", holds=took <= 120)  # fmt: skip


def measure(seeds: int) -> list[Claim]:
    """Pool the pairs of companies with every problem planted."""
    parts = [labelled(seed) for seed in range(1, seeds + 1)]
    known, named = (pd.concat(side, ignore_index=True) for side in zip(*parts, strict=True))
    return [*_pooled(known, named), _speed()]


def _pooled(known: pd.DataFrame, named: pd.DataFrame) -> Iterator[Claim]:
    real = known[known["duplicate"]]
    for shares, words, precise, found in ((True, "with a shared id", 0.98, 0.95),
                                          (False, "by name alone", 0.95, 0.0)):  # fmt: skip
        said, there = named[named["shares"] == shares], real[real["shares"] == shares]
        yield _claim(f"pairs named {words} that are one company", int(said["real"].sum()),
                     len(said), precise)  # fmt: skip
        yield _claim(f"pairs of one company {words} that are named", int(there["named"].sum()),
                     len(there), found)  # fmt: skip
    alike = known[~known["duplicate"]]
    yield _claim("look-alikes left apart", int((~alike["named"]).sum()), len(alike), 0.0)
