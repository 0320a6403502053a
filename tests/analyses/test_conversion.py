"""Customer conversion: cohorts, sources, answers, by hand and by plain pandas; silent if clean."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from salesops.analyses.conversion import conversion
from salesops.book.write import typed
from salesops.wording import language
from tests.companies import book_of, random_company
from tests.fixtures import SAMPLE

CHINA = pd.Timedelta(hours=8)


@pytest.fixture(scope="module")
def tiny(tiny_book):
    return conversion(tiny_book)


@pytest.fixture(scope="module")
def sample(sample_book):
    return conversion(sample_book)


@pytest.fixture(scope="module")
def small(small_book):
    return conversion(small_book)


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    rows = pd.read_parquet(SAMPLE / "leads.parquet")
    return rows.assign(day=(rows["created_at"] + CHINA).dt.normalize())


def test_five_leads_by_hand(tiny):
    # Alpha once in January, Gamma and Delta; Epsilon on the last of March.
    assert tiny.cohorts.set_index("cohort")["n"].to_dict() == {"2026-01": 3, "2026-03": 1}
    assert tiny.cohorts["rate"].isna().all()
    assert not tiny.cohorts["is_mature"].any()
    owners = tiny.owners.set_index("owner_id")[["n", "n_untouched"]].to_dict("index")
    assert owners["u2"] == {"n": 1, "n_untouched": 1}
    assert owners["nobody"] == {"n": 1, "n_untouched": 1}
    assert tiny.to_call.empty  # nobody waits for less than thirty days and more than one
    assert tiny.reasons[["reason", "n"]].to_numpy().tolist() == [["duplicate", 1]]


def test_a_cohort_is_shown_only_once_all_of_it_had_its_time(sample, sample_book):
    for row in sample.cohorts.itertuples():
        has_had = row.end + dt.timedelta(days=90) <= sample_book.date
        assert row.is_mature == has_had
        assert pd.isna(row.rate) == (not has_had)
        assert pd.isna(row.long_rate) == (row.end + dt.timedelta(days=180) > sample_book.date)


def test_cohorts_agree_with_the_metric_of_their_period(sample, sample_book):
    from salesops.metrics.catalogue import metric

    row = sample.cohorts[sample.cohorts["is_mature"]].iloc[-1]
    found = metric(sample_book, "customer_conversion_90", period=row["cohort"]).iloc[0]
    assert found["customer_conversion_90"] == row["rate"]
    assert found["n"] == row["n"]


def test_sources_by_plain_pandas(sample, leads):
    ours = leads[(leads["day"] >= "2025-03-23") & (leads["day"] <= "2026-03-22")]
    found = sample.sources.set_index("source")
    assert found["n"].to_dict() == ours["source"].value_counts().to_dict()
    days = ((ours["converted_at"] + CHINA).dt.normalize() - ours["day"]).dt.days
    dealt = (days <= 90).groupby(ours["source"]).sum()
    assert found["n_opportunity"].to_dict() == dealt.to_dict()
    assert found["lead_share"].sum() == pytest.approx(1)
    assert sample.totals["n_signed"].iloc[0] == found["n_signed"].sum()


def test_money_of_the_sources_is_what_their_companies_signed(sample):
    assert sample.sources["amount"].sum() == pytest.approx(sample.totals["amount"].iloc[0])


def test_never_touched_leads_by_owner_by_plain_pandas(sample, leads):
    ours = leads[(leads["day"] >= "2026-03-23") & (leads["day"] <= "2026-06-20")]
    silent = ours[ours["first_touched_at"].isna() & ours["converted_at"].isna()]
    found = sample.owners.set_index("owner_id")
    # Five working days before 20 June 2026, with the Dragon Boat holiday on the 19th.
    old = silent[silent["created_at"] + CHINA <= "2026-06-11 18:00"]
    young = silent[silent["created_at"] + CHINA >= "2026-06-12 18:00"]
    assert len(old) <= found["n_untouched"].sum() <= len(silent) - len(young)


def test_leads_to_call_are_those_that_wait_the_best_sources_first(sample, leads):
    rows = leads.set_index("id").loc[sample.to_call["id"]]
    assert rows["first_touched_at"].isna().all()
    assert (rows["day"] >= "2026-05-22").all()
    chance = sample.sources.set_index("source")["opportunity_rate"]
    assert sample.to_call["source"].map(chance).is_monotonic_decreasing


def test_the_curve_of_answers_only_rises(sample):
    for name in ("answered_share", "prior_share", "work_share", "off_share"):
        assert sample.curve[name].is_monotonic_increasing


def test_the_planted_problems_are_found_and_sized(sample):
    found = {f.code: f for f in sample.findings}
    assert set(found) == {f"conversion.{c}" for c in ("weak_source", "never_touched", "days_off")}
    weak, silent = found["conversion.weak_source"], found["conversion.never_touched"]
    assert weak.evidence["lead_share"] == pytest.approx(0.30, abs=0.02)
    assert weak.evidence["signed_share"] < 0.10
    assert silent.evidence["untouched_share"] == pytest.approx(0.14, abs=0.02)
    assert found["conversion.days_off"].evidence["off_hours"] > 20
    assert found["conversion.days_off"].evidence["work_hours"] < 4
    for finding in (weak, silent):
        got = finding.recoverable
        assert 0 <= got.low <= got.middle <= got.high
        assert got.middle <= finding.at_stake


def test_never_touched_leads_are_sized_by_what_answered_ones_bring(sample):
    silent = next(f for f in sample.findings if f.code == "conversion.never_touched")
    answered = sample.times.loc[sample.times["until"].notna(), "n"].sum()
    each = sample.totals["amount"].iloc[0] / answered
    k, n = silent.evidence["n_untouched"], silent.evidence["n"]
    assert silent.at_stake == pytest.approx(k * each)
    assert silent.recoverable.middle == pytest.approx((k - 0.05 * n) * each)


def test_a_share_at_its_norm_raises_no_alarm(sample_book):
    from dataclasses import replace

    norms = sample_book.settings.norms.model_copy(update={"untouched_share": 0.14})
    settings = sample_book.settings.model_copy(update={"norms": norms})
    book = replace(sample_book, store=replace(sample_book.store, settings=settings))
    codes = {f.code for f in conversion(book).findings}
    assert "conversion.never_touched" not in codes


def test_the_result_says_what_was_known_then(sample_book):
    then = conversion(sample_book.as_of("2025-12-31"))
    assert {gap.what for gap in then.gaps} == {"what.owners", "what.lead_reasons"}
    assert then.owners["owner_id"].tolist() == ["nobody"]
    last = then.cohorts[then.cohorts["is_mature"]].iloc[-1]
    assert last["cohort"] == "2025Q3"


def test_a_year_from_april_has_its_own_quarters(sample_book):
    from dataclasses import replace

    company = sample_book.settings.company.model_copy(update={"fiscal_year_starts": 4})
    settings = sample_book.settings.model_copy(update={"company": company})
    book = replace(sample_book, store=replace(sample_book.store, settings=settings))
    found = conversion(book).cohorts
    assert found["cohort"].iloc[-1] == "2026Q1"
    assert found["start"].iloc[-1] == dt.date(2026, 4, 1)


def test_row_order_and_names_of_ids_change_nothing(sample):
    tables = random_company(3, n=20).tables()
    rng = np.random.default_rng(1)
    created = pd.Timestamp("2026-01-05 02:00") + pd.to_timedelta(rng.integers(0, 400, 60), "h")
    rows = pd.DataFrame(
        {"id": [f"l{i:02d}" for i in range(60)], "created_at": created.astype("datetime64[us]"),
         "source": [f"s{i % 3}" for i in range(60)],
         "owner_id": [f"u{i % 4 + 1}" for i in range(60)],
         "company": [f"Firm {i % 50}" for i in range(60)],
         "first_touched_at": [t + pd.Timedelta(hours=i % 9) if i % 4 else pd.NaT
                              for i, t in enumerate(created)]}
    ).astype({"first_touched_at": "datetime64[us]"})  # fmt: skip
    other = rows.iloc[::-1].assign(id="x" + rows["id"])
    one, two = (conversion(book_of({**tables, "leads": typed("leads", frame)}))
                for frame in (rows, other))  # fmt: skip
    for name in ("cohorts", "sources", "curve", "times", "owners", "waits"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))


# Where there are no leads, or only a list of them.


@pytest.fixture(scope="module")
def leadless():
    """Ninety deals of a year, every third won after 20 days, every other after 120."""
    born = [pd.Timestamp("2025-01-06 02:00") + pd.Timedelta(days=4 * i) for i in range(90)]
    ended = [at + pd.Timedelta(days=(20, 120, 40)[i % 3]) for i, at in enumerate(born)]
    stage = [("contract", "contract", "lost")[i % 3] for i in range(90)]
    deals = pd.DataFrame(
        {"id": [f"d{i}" for i in range(90)], "created_at": born, "closed_at": ended,
         "stage": stage, "amount": 100.0, "source": [f"s{i % 2}" for i in range(90)],
         "lost_reason": [None if s == "contract" else "price" for s in stage],
         "is_won": [s == "contract" for s in stage]}
    ).astype({"created_at": "datetime64[us]", "closed_at": "datetime64[us]"})  # fmt: skip
    return book_of({"opportunities": typed("opportunities", deals)})


def test_without_leads_the_deals_say_what_they_can(leadless):
    result = conversion(leadless)
    assert {g.what for g in result.gaps} == {"what.leads", "what.response", "what.untouched"}
    assert result.findings == ()
    assert result.side == "source"
    assert list(result.exhibits) == ["cohorts", "sources", "reasons"]
    # Every third is won within 90 days, a further third within 180.
    assert result.totals["rate"].iloc[0] == pytest.approx(1 / 3, abs=0.01)
    old = result.cohorts["long_rate"].dropna()
    assert old.mean() == pytest.approx(2 / 3, abs=0.05)
    for lang in ("zh", "en"):
        with language(lang):
            assert result.exhibit("response").page
            assert all(clause.text() for clause in result.verdict)


def test_a_list_of_leads_without_history_still_says_five_things(small):
    assert list(small.exhibits) == ["cohorts", "sources", "response", "untouched", "reasons"]
    assert small.findings == ()
    assert small.statuses["n"].sum() > 0
    assert small.owners.empty  # nobody recorded a call: nobody is called never touched
    assert len(small.to_call) > 0
    # Leads become deals by the name of their company.
    assert small.sources["n_opportunity"].sum() > 0


def test_a_list_of_leads_says_too_few_at_most_once(small):
    for lang, word in (("zh", "样本太少"), ("en", "too few")):
        with language(lang):
            page = "".join(exhibit.html() for exhibit in small.exhibits.values())
            page += small.headline().html()
            assert page.count(word) <= 1
