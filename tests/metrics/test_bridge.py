"""The bridge of a change: to the cent, and a shift of mix is no lower win rate."""

import numpy as np
import pandas as pd
import pytest

from salesops.metrics.bridge import bridge
from salesops.metrics.catalogue import metric
from tests.companies import book_of, random_company
from tests.signings import T, contract, contracts, day, deals, table, won

FACTORS = ["at_risk", "closing", "winning", "mean_amount"]


def amounts(found) -> dict[str, float]:
    return dict(zip(found.bars["bar"], found.bars["amount"], strict=True))


def month(n_won: int, n_lost: int, n_open: int, at: str, amount: float, line: str) -> list[dict]:
    """Give deals of one month and product line; open ones are closed in the year after."""
    rows = []
    for kind, n in (("contract", n_won), ("lost", n_lost), ("void", n_open)):
        for i in range(n):
            closed = T(at) if kind != "void" else T("2027-06-01")
            rows.append(won(id=f"{line}-{at}-{kind}-{i}", stage=kind, amount=amount,
                            created_at=T(at) - pd.Timedelta(days=3), closed_at=closed,
                            product_line=line))  # fmt: skip
    return rows


def compare(rows: list[dict], **tables):
    book = book_of({**deals(*rows), **tables}).as_of("2026-12-31")
    return bridge(book, book.period("2026-03"), book.period("2026-02"))


def test_a_shift_of_mix_between_segments_is_not_a_lower_win_rate():
    """Big deals win 1 of 10, small ones 9 of 10, in both months; only their number moves."""
    rows = [
        *month(1, 9, 0, "2026-02-10", 100.0, "big"), *month(81, 9, 0, "2026-02-10", 10.0, "small"),
        *month(9, 81, 0, "2026-03-10", 100.0, "big"), *month(9, 1, 0, "2026-03-10", 10.0, "small"),
    ]  # fmt: skip
    # Over all of them the win rate falls from 82 to 18 of 100.
    book = book_of(deals(*rows)).as_of("2026-12-31")
    rates = [metric(book, "win_rate", period=p)["win_rate"].iloc[0] for p in ("2026-02", "2026-03")]
    assert rates == [0.82, 0.18]
    found = amounts(compare(rows))
    assert found["winning"] == 0
    assert found["mean_amount"] == 0
    assert found["closing"] == 0
    assert found["at_risk"] == (9 * 100 + 9 * 10) - (1 * 100 + 81 * 10)


def test_one_segment_by_hand():
    rows = [*month(2, 2, 4, "2026-02-10", 10.0, "x"), *month(4, 4, 0, "2026-03-10", 10.0, "x")]
    found = compare(rows)
    cell = found.cells.set_index("segment").loc["x"]
    # February: 8 at risk, 4 closed, 2 won. In March the 4 open ones are at risk beside 8 new.
    assert cell[["prior_n_risk", "prior_n_closed", "prior_n_won"]].tolist() == [8, 4, 2]
    assert cell[["n_risk", "n_closed", "n_won"]].tolist() == [12, 8, 4]
    # Win rate and mean value did not move; 8 x 1/2 became 12 x 2/3, times 1/2 times 10.
    assert cell["winning"] == cell["mean_amount"] == 0
    assert cell["at_risk"] == pytest.approx((12 - 8) * (1 / 2 + 2 / 3) / 2 * 5)
    assert cell["closing"] == pytest.approx((2 / 3 - 1 / 2) * (8 + 12) / 2 * 5)
    assert amounts(found)["now"] - amounts(found)["before"] == 40 - 20


def test_where_nothing_was_won_before_the_win_rate_stands_for_the_value_too():
    rows = [*month(0, 4, 0, "2026-02-10", 10.0, "x"), *month(2, 2, 0, "2026-03-10", 10.0, "x")]
    found = compare(rows)
    assert found.n_merged == 1
    assert found.cells["merged"].tolist() == ["winning"]
    assert amounts(found)["winning"] == 20
    assert amounts(found)["mean_amount"] == 0


def test_a_segment_that_is_new_is_all_more_deals():
    rows = [*month(1, 1, 0, "2026-02-10", 10.0, "x"), *month(1, 1, 0, "2026-03-10", 10.0, "x"),
            *month(3, 1, 0, "2026-03-10", 7.0, "y")]  # fmt: skip
    found = compare(rows)
    assert amounts(found)["at_risk"] == 3 * 7
    assert found.cells.set_index("segment")["merged"].to_dict() == {"x": "", "y": "at_risk"}


def test_contracts_signed_at_another_time_or_value_make_a_bar_of_their_own():
    rows = [*month(1, 1, 0, "2026-02-10", 10.0, "x"), *month(1, 1, 0, "2026-03-10", 10.0, "x")]
    signed = contracts(contract(id="c1", amount=10.0, signed_on=day("2026-02-11")),
                       contract(id="c2", amount=9.0, signed_on=day("2026-03-12")),
                       contract(id="c3", amount=4.0, signed_on=day("2026-01-12"),
                                cancelled_on=day("2026-03-13")))  # fmt: skip
    found = amounts(compare(rows, **signed))
    assert [found[f] for f in FACTORS] == [0, 0, 0, 0]
    assert found["contracts"] == (9 - 4 - 10) - (10 - 10)
    assert (found["before"], found["now"]) == (10, 5)


def test_renewals_are_outside():
    rows = [*month(1, 1, 0, "2026-02-10", 10.0, "x"), *month(1, 1, 0, "2026-03-10", 10.0, "x"),
            won(id="r", type="renewal", amount=500.0, closed_at=T("2026-03-05"))]  # fmt: skip
    found = amounts(compare(rows))
    assert (found["before"], found["now"]) == (10, 10)


@pytest.mark.parametrize(("seed", "segmented"), [(0, True), (1, True), (2, False)])
def test_the_bars_add_up_to_the_cent_in_any_company(seed, segmented):
    tables = random_company(seed, n=60).tables()
    if segmented:
        rng = np.random.default_rng(seed)
        frame = tables["opportunities"].to_pandas()
        frame["account_id"] = [f"a{i}" for i in rng.integers(0, 9, len(frame))]
        from salesops.book.write import typed

        tables["opportunities"] = typed("opportunities", frame)
        tables |= table("accounts", id=[f"a{i}" for i in range(9)],
                        segment=["s", "m", "l"] * 3)  # fmt: skip
    book = book_of(tables)
    for scope in ("all", "North/1"):
        seen = book.scope(team=scope)
        found = bridge(seen, seen.period("2026-01"), seen.period("2026Q1"))
        cents = [round(a * 100) for a in found.bars["amount"]]
        assert cents[0] + sum(cents[1:-1]) == cents[-1]
        # Each cell's effects are its own change, up to the rounding of the bars.
        change = found.cells["won"] - found.cells["prior_won"]
        np.testing.assert_allclose(found.cells[FACTORS].sum(axis=1), change, atol=1e-6)
