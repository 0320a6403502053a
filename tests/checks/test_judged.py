"""All comparisons are judged together, and no money is counted twice or beyond what there is."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesops.checks import judged as judging
from salesops.checks.check import Check, Norm, Seen, Tested, missing_for, no_gains, no_rows
from salesops.checks.judged import examine, reachable
from salesops.checks.overview import checks_frame, pains_frame, since_frame
from salesops.model.finding import Finding
from tests.companies import book_of, random_company

# Open deals of the tiny company and their values.
OPEN = {"d04": 80.0, "d06": 30.0, "d07": 90.0, "d08": 20.0, "d10": 70.0}


def finding(code: str, subject: str = "", severity: str = "act") -> Finding:
    return Finding(code=f"diagnosis.{code}", severity=severity, subject=subject,
                   evidence={"n": 1}, owner_role="lead")  # fmt: skip


def gains(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """Make gains of deals: id, amount, chance; the range is half and one and a half of it."""
    return pd.DataFrame([
        {"table": "opportunities", "id": i, "amount": amount, "low": chance / 2, "middle": chance,
         "high": chance * 1.5} for i, amount, chance in rows
    ])  # fmt: skip


def check(name: str, *tests: Tested, pain: str = "data", **more: object) -> Check:
    norm = Norm(value=0.1, tolerance=0.05, source="settings")
    seen = Seen(value=0.3, n=10, norm=norm, tests=tests)
    return Check(id=name, pain=pain, unit="ratio", needs=("opportunities",),
                 look=lambda _book, _period: seen, **more)  # fmt: skip


def judge(book, *checks: Check):
    return examine(book, book.period("latest"), checks)


def test_a_deal_counts_with_the_finding_that_could_bring_back_most_of_it(tiny_book):
    weak = Tested(p=0, finding=finding("a"), gains=gains(("d04", 80, 0.1), ("d06", 30, 0.2)))
    strong = Tested(p=0, finding=finding("b"), gains=gains(("d04", 80, 0.4)))
    judged = judge(tiny_book, check("a", weak), check("b", strong))
    by_code = {f.code: f for f in judged.findings}
    assert [f.code for f in judged.findings] == ["diagnosis.b", "diagnosis.a"]
    assert by_code["diagnosis.b"].at_stake == 80
    assert by_code["diagnosis.b"].recoverable.middle == pytest.approx(80 * 0.4)
    assert by_code["diagnosis.a"].at_stake == 30
    assert by_code["diagnosis.a"].recoverable.low == pytest.approx(30 * 0.1)
    assert by_code["diagnosis.a"].recoverable.high == pytest.approx(30 * 0.3)


def test_more_than_a_deal_is_worth_and_deals_that_ended_bring_nothing(tiny_book):
    greedy = Tested(p=0, finding=finding("a"),
                    gains=gains(("d04", 5_000, 0.9), ("d01", 100, 0.9)))  # fmt: skip
    (found,) = judge(tiny_book, check("a", greedy)).findings
    assert found.at_stake == 80
    assert found.recoverable.high == pytest.approx(80)  # 1.35 of it is more than there is


def test_a_finding_all_of_whose_deals_are_counted_elsewhere_has_no_money_left(tiny_book):
    both = [Tested(p=0, finding=finding(code), gains=gains(("d04", 80, chance)))
            for code, chance in (("a", 0.3), ("b", 0.2))]  # fmt: skip
    judged = judge(tiny_book, check("a", both[0]), check("b", both[1]))
    assert [f.at_stake for f in judged.findings] == [80, 0]


def test_what_could_be_chance_over_all_comparisons_is_not_said(tiny_book):
    # By Benjamini and Yekutieli at 0.01 over four: 1 + 1/2 + 1/3 + 1/4 = 25/12, so the least of
    # four has to lie below 0.01 / 4 / (25 / 12) = 0.0012.
    def judged(least: float):
        tests = [Tested(p=p, finding=finding("a", str(p))) for p in (least, 0.5, 0.6, 0.7)]
        return judge(tiny_book, check("a", *tests)).findings

    assert len(judged(0.00119)) == 1
    assert judged(0.00121) == ()


def test_comparisons_apart_are_held_to_a_rate_of_their_own(tiny_book):
    # By Benjamini and Hochberg at 0.01 over four: the least has to lie below 0.01 / 4 = 0.0025,
    # whatever many comparisons that share deals are made beside them.
    def judged(least: float):
        tests = [Tested(p=p, finding=finding("a", str(p))) for p in (least, 0.5, 0.6, 0.7)]
        others = [Tested(p=0.9, finding=finding("b", str(i))) for i in range(50)]
        alone = check("a", *tests, apart=True)
        return judge(tiny_book, alone, check("b", *others)).findings

    assert len(judged(0.00249)) == 1
    assert judged(0.00251) == ()


def test_a_check_says_what_it_lacks(tiny_book):
    lacking = Check(id="x", pain="data", unit="ratio", needs=("invoices",),
                    look=lambda _b, _p: pytest.fail("must not look"))  # fmt: skip
    judged = judge(tiny_book, lacking)
    assert judged.seen == {}
    assert (judged.gaps[0].what, judged.gaps[0].reason, judged.gaps[0].needs) == (
        "check.x", "missing_table", "invoices")  # fmt: skip
    column = Check(id="x", pain="data", unit="ratio", needs=("accounts.tax_id",),
                   look=lacking.look)  # fmt: skip
    assert missing_for(column, tiny_book)[0].reason == "missing_column"


def test_where_changes_lie_between_two_imports_a_check_of_instants_does_not_look():
    company = random_company(3)
    tables = company.tables()
    told = tables["tracked"].to_pandas().assign(how="snapshot")
    from salesops.book.write import typed

    book = book_of({**tables, "tracked": typed("tracked", told)})
    timed = check("x", needs_log=("opportunities.stage",))
    assert missing_for(timed, book)[0].reason == "only_between_imports"
    assert missing_for(timed, book_of(tables)) == ()


def test_the_table_of_pains_sums_its_checks_and_names_the_worst(tiny_book):
    act = Tested(p=0, finding=finding("a"), gains=gains(("d04", 80, 0.1)))
    watch = Tested(p=0, finding=finding("b", severity="watch"), gains=gains(("d07", 90, 0.2)))
    blind = Check(id="c", pain="review", unit="count", needs=("invoices",),
                  look=lambda _b, _p: Seen(value=0, n=0))  # fmt: skip
    checks = (check("a", act), check("b", watch), check("quiet", pain="process"), blind)
    now, before = judge(tiny_book, *checks), judge(tiny_book, *checks[1:])
    table = checks_frame(checks, now, before)
    pains = pains_frame(table).set_index("pain")
    assert pains["status"].to_dict() == {"targets": "unknown", "data": "act", "process": "good",
                                         "review": "unknown", "teamwork": "unknown"}  # fmt: skip
    assert pains.loc["data", "middle"] == pytest.approx(80 * 0.1 + 90 * 0.2)
    assert pains.loc["data", "worst"] == "b"
    assert math.isnan(pains.loc["process", "middle"])
    # Last time `a` was not looked at, so nothing can be said of its change.
    assert since_frame(table)[["check", "change"]].values.tolist() == [["b", "same"]]


def test_what_came_out_otherwise_than_last_time_is_told_worse_ones_first(tiny_book):
    test = Tested(p=0, finding=finding("a"))
    quiet, loud = check("a"), check("a", test)
    other = check("b", Tested(p=0, finding=finding("b")))
    now, before = judge(tiny_book, loud, check("b")), judge(tiny_book, quiet, other)
    since = since_frame(checks_frame((loud, other), now, before))
    assert since["change"].tolist() == ["worse", "better"]
    assert since["check"].tolist() == ["a", "b"]


def test_the_empty_frames_have_the_columns_of_full_ones():
    assert list(no_rows().columns) == ["table", "id"]
    assert list(no_gains().columns) == list(gains(("d04", 1, 0.1)).columns)


@pytest.fixture(scope="module")
def limits(tiny_book) -> pd.DataFrame:
    """What can still be had of the ten deals, asked once for all examples."""
    return reachable(tiny_book)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(sorted(OPEN)), st.floats(0, 1e6), st.floats(0, 1)),
            max_size=5, unique_by=lambda row: row[0],
        ),
        max_size=6,
    )
)  # fmt: skip
def test_the_sum_never_exceeds_what_is_open_and_ranges_hold_their_middle(tiny_book, limits, rows):
    checks = [check(f"c{i}", Tested(p=0, finding=finding(f"c{i}"), gains=gains(*part)))
              for i, part in enumerate(rows) if part]  # fmt: skip
    seen = {one.id: one.look(tiny_book, tiny_book.period("latest")) for one in checks}
    found = judging.judge(seen, lambda: limits, ()).findings
    there = float(limits["limit"].sum())
    assert there == sum(OPEN.values())
    assert sum(f.at_stake or 0 for f in found) <= there + 1e-9
    for f in found:
        if f.recoverable:
            assert f.recoverable.low <= f.recoverable.middle <= f.recoverable.high + 1e-9
            assert f.recoverable.high <= f.at_stake + 1e-9
