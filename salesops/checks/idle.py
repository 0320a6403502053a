"""Steps that hold up some deals for long and stop hardly any of them."""

import math
from dataclasses import dataclass

import pandas as pd

from salesops.book.book import Book
from salesops.checks.check import Check, Norm, Seen, Tested
from salesops.checks.followup import rows_of
from salesops.checks.process import LESSON, way_of_deals
from salesops.methods.intervals import Z95, difference
from salesops.methods.splits import Split, best_split, chosen_p
from salesops.metrics.opendeals import standing
from salesops.metrics.stages import has_stage_history
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap

# Smaller deals may stay so many days longer than larger ones.
TOLERANCE_DAYS = 1.0
_DAY = 86_400


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """An open stage and the deals that have left it.

    Attributes
    ----------
    stage
        Its id.
    deals
        One row per deal: `id`, `amount` (company currency), `days` in the stage, `is_stopped`
        (lost or void there), `ended`.
    split
        Where deals below stay longer than those above; None where there is no such amount.
    """

    stage: str
    deals: pd.DataFrame
    split: Split | None

    @property
    def cut(self) -> float:
        """The amount of the split, as round as people draw such a line: two digits."""
        if self.split is None or self.split.cut <= 0:
            return -math.inf
        return round(self.split.cut, 1 - math.floor(math.log10(self.split.cut)))

    @property
    def small(self) -> pd.DataFrame:
        """The deals below the cut."""
        return self.deals[self.deals["amount"] < self.cut]

    @property
    def large(self) -> pd.DataFrame:
        """The deals from the cut on."""
        return self.deals.drop(index=self.small.index)

    @property
    def excess(self) -> float:
        """By how many days the middle of the small ones stays longer; null without a cut."""
        if self.small.empty or self.large.empty:
            return math.nan
        return float(self.small["days"].median() - self.large["days"].median())

    @property
    def sorts(self) -> bool:
        """Whether it stops more of the small deals than of the large ones, beyond chance."""
        stopped = [(int(part["is_stopped"].sum()), len(part)) for part in (self.small, self.large)]
        low, _high = difference(*stopped[0], *stopped[1], z=Z95)
        return low > 0


def steps(book: Book) -> tuple[Step, ...]:
    """Give the open stages that stop hardly any deal, each cut where the days differ most."""
    ways, norms = way_of_deals(book), book.settings.norms
    since = pd.Timestamp(book.tracked["opportunities"]["stage"].since)
    found = []
    for i, stage in enumerate(book.settings.stage_ids("open")):
        deals = _left(ways, i, since)
        # A stage that sorts out deals earns its time.
        if len(deals) < 2 * norms.too_few or deals["is_stopped"].mean() >= norms.gate_share:
            continue
        found.append(Step(stage=stage, deals=deals,
                          split=best_split(deals["amount"], deals["days"])))  # fmt: skip
    return tuple(found)


def _left(ways: pd.DataFrame, i: int, since: pd.Timestamp) -> pd.DataFrame:
    """Give the deals that were in the i-th open stage and have left it, with a known value."""
    # What stood in it before the history began came at a time that nobody knows.
    seen = ways["is_known"] | (ways[f"beyond_{i - 1}"] >= since if i else False)
    here = ways[seen & ways[f"entered_{i}"].notna() & ways["cents"].notna()]
    out = here[[f"beyond_{i}", "gone_at"]].min(axis=1)
    days = (out - here[f"entered_{i}"]).dt.total_seconds() / _DAY
    deals = pd.DataFrame({
        "id": here["id"], "amount": here["cents"].astype("float64") / 100, "days": days,
        "is_stopped": here[f"beyond_{i}"].isna(), "ended": here["outcome"] != "open",
    })  # fmt: skip
    return deals[deals["days"] >= 0]


def _idle(book: Book, period: Period) -> Seen:
    """Per stage that stops hardly any deal: whether small deals wait longer than large ones."""
    book = standing(book, period)
    if not has_stage_history(book):
        gap = Gap(what="check.idle_steps", reason="no_history", needs="changes")
        return Seen(value=math.nan, n=0, gaps=(gap,))
    found = [step for step in steps(book) if step.excess == step.excess]
    norm = Norm(value=0.0, tolerance=TOLERANCE_DAYS, source="learnt")
    if not found:
        return Seen(value=math.nan, n=0, norm=norm)
    tests = tuple(_of_step(book, step) for step in found
                  if step.excess > TOLERANCE_DAYS and not step.sorts)  # fmt: skip
    return Seen(value=max(step.excess for step in found), n=sum(len(s.deals) for s in found),
                norm=norm, tests=tests)  # fmt: skip


def _of_step(book: Book, step: Step) -> Tested:
    """Say which deals wait longer than the others, however the cut was found."""
    small, large = step.small, step.large
    usual = float(large["days"].median())
    lost_days = float((small["days"] - usual).clip(lower=0.0).sum())
    role = book.settings.stage(step.stage).owner_role or "ops"
    finding = Finding(
        code="diagnosis.idle_steps", severity="act", subject=step.stage,
        evidence={
            "stage": step.stage, "cut": step.cut,
            "n": len(small), "n_large": len(large), "days": float(small["days"].median()),
            "norm_days": usual, "stopped": float(small["is_stopped"].mean()),
            "norm_stopped": float(large["is_stopped"].mean()), "lost_days": lost_days,
        },
        owner_role=role, action="diagnosis.idle_steps.action", lesson=LESSON, trust="firm",
    )  # fmt: skip
    ended = small[small["ended"]]
    return Tested(p=longer_p(step), finding=finding, rows=rows_of("opportunities", ended["id"]))


def longer_p(step: Step) -> float:
    """How likely are stays so much longer than tolerated below any cut, were all alike?"""
    small = step.deals["amount"] < step.cut
    days = step.deals["days"] - TOLERANCE_DAYS * small
    shifted = best_split(step.deals["amount"], days)
    return 1.0 if shifted is None else chosen_p(shifted.z)


CHECKS: tuple[Check, ...] = (
    Check(id="idle_steps", pain="process", unit="days",
          needs=("opportunities.amount", "opportunities.created_at"), look=_idle,
          needs_log=("opportunities.stage",)),
)  # fmt: skip
