"""Which comparisons of all checks hold together, and what each is worth, counted once."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from salesops.book.book import Book
from salesops.book.shared import once
from salesops.checks.check import Check, Seen, Tested, missing_for
from salesops.checks.registry import all_checks
from salesops.metrics.opendeals import open_deals
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap, Range

FALSE_DISCOVERY = 0.01
_WEIGHT = {"act": 0, "watch": 1, "note": 2}


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What held of one examination.

    Attributes
    ----------
    seen
        What each check saw, by its id; a check that could not look has no entry.
    held
        The comparisons that hold, with the money of each counted once, most recoverable first.
    check_of
        Id of the check behind each of `held`.
    gaps
        What could not be looked at, and why.
    """

    seen: dict[str, Seen]
    held: tuple[Tested, ...]
    check_of: tuple[str, ...]
    gaps: tuple[Gap, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What held, as findings."""
        return tuple(test.finding for test in self.held)


def examine(book: Book, period: Period, checks: Sequence[Check]) -> Judged:
    """Look at everything, hold all comparisons to one false discovery rate, and size what holds.

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        The period looked at.
    checks
        What to look for.

    Notes
    -----
    Comparisons that share deals depend on each other: Benjamini & Yekutieli (2001), Annals of
    Statistics 29, 1165–1188; those of checks apart: Benjamini & Hochberg (1995), Journal of the
    Royal Statistical Society B 57, 289–300; each family at 0.01.
    """
    seen: dict[str, Seen] = {}
    gaps: list[Gap] = []
    for check in checks:
        lacking = missing_for(check, book)
        gaps += lacking
        if not lacking:
            seen[check.id] = looked(check, book, period)
            gaps += seen[check.id].gaps
    apart = {check.id for check in checks if check.apart}
    return replace(judge(seen, lambda: reachable(book), apart), gaps=tuple(gaps))


def looked(check: Check, book: Book, period: Period) -> Seen:
    """Let a check look, or take what it saw for another report of the same run."""
    if not any(check is known for known in all_checks()):
        return check.look(book, period)  # the name of one made by hand may be another's
    return once(("check", check.id, period), book, lambda: check.look(book, period))


def judge(
    seen: dict[str, Seen], limits: Callable[[], pd.DataFrame], apart: Collection[str]
) -> Judged:
    """Hold what checks saw to one false discovery rate, and size what holds.

    Parameters
    ----------
    seen
        What each check saw, by its id.
    limits
        Gives what can still be had, as `reachable` does.
    apart
        Ids of the checks whose comparisons share no deals with others.
    """
    holding = []
    for alone in (True, False):
        tests = [(name, test) for name, found in seen.items() if (name in apart) == alone
                 for test in found.tests]  # fmt: skip
        holds = _holds([test.p for _id, test in tests], "bh" if alone else "by")
        holding += [tests[i] for i in np.flatnonzero(holds)]
    holding.sort(key=lambda pair: (_WEIGHT[pair[1].finding.severity], pair[0],
                                   pair[1].finding.subject))  # fmt: skip
    sized = _sized(limits, [test for _id, test in holding])
    order = sorted(range(len(sized)), key=lambda i: -_middle(sized[i].finding))
    return Judged(
        seen=seen, held=tuple(sized[i] for i in order),
        check_of=tuple(holding[i][0] for i in order), gaps=(),
    )  # fmt: skip


def _holds(p: list[float], method: Literal["bh", "by"]) -> "np.ndarray":
    if not p:
        return np.zeros(0, dtype=bool)
    from scipy.stats import false_discovery_control

    adjusted = false_discovery_control(np.array(p, dtype=float), method=method)
    return np.asarray(adjusted < FALSE_DISCOVERY)


def _middle(finding: Finding) -> float:
    return finding.recoverable.middle if finding.recoverable else 0.0


def reachable(book: Book) -> pd.DataFrame:
    """Give what can still be had: open deals and unpaid instalments, with their amounts.

    Returns
    -------
    pandas.DataFrame
        `table`, `id`, `limit` (company currency).
    """
    deals = open_deals(book).select("id", "cents").to_pandas().assign(table="opportunities")
    parts = [deals]
    if book.has("instalments") and book.n("instalments"):
        from salesops.metrics.allocation import paid_instalments

        unpaid = paid_instalments(book).select("id", cents="unpaid_cents").to_pandas()
        parts.append(unpaid.assign(table="instalments"))
    whole = pd.concat(parts, ignore_index=True)
    whole["limit"] = whole["cents"].astype("float64").fillna(0.0).clip(lower=0.0) / 100
    return whole[["table", "id", "limit"]]


def _sized(limits: Callable[[], pd.DataFrame], tests: list[Tested]) -> list[Tested]:
    """Give each record's money to the comparison that could bring back most of it."""
    parts = [test.gains.assign(test=i) for i, test in enumerate(tests) if len(test.gains)]
    if not parts:
        return tests
    money = dict.fromkeys(("amount", "low", "middle", "high"), "float64")
    gains = pd.concat(parts, ignore_index=True).astype(money)
    gains = gains.merge(limits(), on=["table", "id"])
    gains["amount"] = gains["amount"].clip(lower=0.0, upper=gains["limit"])
    for side in ("low", "middle", "high"):
        gains[side] = gains[side].clip(0.0, 1.0) * gains["amount"]
    gains = gains.sort_values(["middle", "test"], ascending=[False, True], kind="stable")
    once = gains.drop_duplicates(["table", "id"])
    sums = once.groupby("test")[["amount", "low", "middle", "high"]].sum()
    return [_with_money(test, sums, i) for i, test in enumerate(tests)]


def _with_money(test: Tested, sums: pd.DataFrame, i: int) -> Tested:
    if not len(test.gains):
        return test
    if i not in sums.index:
        # All its records are counted with comparisons that could bring back more.
        return replace(test, finding=replace(test.finding, at_stake=0.0))
    row = sums.loc[i]
    back = Range(low=float(row["low"]), middle=float(row["middle"]), high=float(row["high"]))
    return replace(test, finding=replace(test.finding, at_stake=float(row["amount"]),
                                         recoverable=back))  # fmt: skip
