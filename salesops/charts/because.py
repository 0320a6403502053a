"""Reasons of deals and customers, told in words when they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from salesops.charts.table import TableView
from salesops.wording import say

Told = Sequence[tuple[str, float, float]]


def because_text(stem: str, told: Told) -> str:
    """Say reasons, each with its value and norm; `stem` is that of their sentences."""
    parts = [say(f"{stem}.reason_{name}", value=value, norm=norm) for name, value, norm in told]
    return say("stall.and").join(parts)


@dataclass(frozen=True, kw_only=True, eq=False)
class BecauseTable(TableView):
    """A table whose column `because` holds reasons.

    Attributes
    ----------
    stem
        Of their sentences: `stall` or `churn`.
    """

    stem: str

    def _css(self, column: str) -> str:
        return ' class="said"' if column == "because" else super()._css(column)

    def _plain(self, column: str, value: Any) -> str:
        if column != "because":
            return super()._plain(column, value)
        return because_text(self.stem, value) or "—"
