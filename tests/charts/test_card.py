"""What a finding's card says of money."""

import pytest

from salesops.charts.card import money_cells
from salesops.model.finding import Finding, Range
from salesops.wording import language


@pytest.mark.parametrize(
    ("low", "middle", "high", "told"),
    [(100_000.0, 200_000.0, 300_000.0, "¥100k to ¥300k"), (0.0, 0.0, 0.0, "")],
)
def test_a_range_is_told_where_there_is_one(low, middle, high, told):
    got = Range(low=low, middle=middle, high=high)
    found = Finding(code="stall.dead", severity="act", evidence={}, owner_role="lead",
                    at_stake=500_000.0, recoverable=got)  # fmt: skip
    with language("en"):
        (stake, _, _), (name, shown, _) = money_cells(found)
    assert (stake, name) == ("At stake", "Recoverable")
    assert ("small" in shown) == bool(told)
    assert told in shown
