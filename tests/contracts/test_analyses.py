"""What holds for every analysis, found by discovery: pure, complete, silent where all is well."""

import dataclasses
import importlib
import pkgutil
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import salesops
import salesops.analyses
from salesops.analyses.result import Result
from salesops.book.book import Book
from salesops.book.runlog import SHARED
from salesops.book.write import typed
from salesops.wording import language, say_finding, say_gap
from tests.companies import book_of

NOT_ANALYSES = {"explained", "result", "scoredresult"}
STEMS = [
    m.name for m in pkgutil.iter_modules(salesops.analyses.__path__) if m.name not in NOT_ANALYSES
]


@pytest.fixture(params=STEMS)
def analysis(request):
    module = importlib.import_module(f"salesops.analyses.{request.param}")
    return getattr(module, request.param)


def frames_of(result: Result) -> dict[str, pd.DataFrame]:
    values = {f.name: getattr(result, f.name) for f in dataclasses.fields(result)}
    return {name: value for name, value in values.items() if isinstance(value, pd.DataFrame)}


def deals(*rows: tuple) -> pa.Table:
    frame = pd.DataFrame(rows, columns=["id", "owner_id", "stage", "amount", "created_at"])
    return typed("opportunities", frame.astype({"created_at": "datetime64[us]"}))


ONE = ("d1", "u1", "needs", 10.0, pd.Timestamp("2026-02-01"))
BOOKS = {
    "no deal at all": {"opportunities": deals()},
    "one open deal without history": {"opportunities": deals(ONE)},
    "one deal without an amount": {"opportunities": deals((*ONE[:3], None, ONE[4]))},
    "all lost": {"opportunities": deals(*[(f"d{i}", "u1", "lost", 5.0, ONE[4]) for i in range(9)])},
    "all won": {
        "opportunities": deals(*[(f"d{i}", "u1", "contract", 5.0, ONE[4]) for i in range(9)])
    },
}


def test_it_is_public_and_has_its_own_notebook_chart_and_test(analysis):
    stem = analysis.__name__
    assert getattr(salesops, stem) is analysis
    for path in (f"notebooks/{stem}.ipynb", f"salesops/charts/{stem}.py",
                 f"tests/analyses/test_{stem}.py"):  # fmt: skip
        assert Path(path).exists(), path


def test_the_same_book_gives_the_same_result_and_is_left_as_it_was(
    analysis, tiny_book, monkeypatch
):
    before = tiny_book.fingerprint()
    one = analysis(tiny_book)
    # Nor may the second take a part of what others found.
    monkeypatch.delenv(SHARED)
    other = analysis(tiny_book)
    for name, frame in frames_of(one).items():
        pd.testing.assert_frame_equal(frame, getattr(other, name))
    assert one.findings == other.findings
    assert one.metrics == pytest.approx(other.metrics, nan_ok=True)
    assert tiny_book.fingerprint() == before


@cache
def small(name: str) -> Book:
    return book_of(BOOKS[name])


@cache
def asked(analysis, name: str) -> Result:
    return analysis(small(name))


@pytest.mark.parametrize("name", BOOKS)
def test_a_book_with_next_to_nothing_gives_gaps_and_no_alarm(analysis, name):
    result = asked(analysis, name)
    assert result.findings == ()
    assert result.gaps, "it must say what it could not do"
    for lang in ("zh", "en"):
        with language(lang):
            assert all(say_gap(gap) for gap in result.gaps)
            bundle = result._repr_mimebundle_()
            assert bundle["text/html"]
            assert all(exhibit.alt() for exhibit in result.exhibits.values())
    # Of the sample every picture is drawn in both languages; here it is that it can be drawn.
    with language("zh"):
        for exhibit in result.exhibits.values():
            assert exhibit._repr_mimebundle_()["text/html"]


def test_an_undefined_ratio_is_null_and_never_nought(analysis):
    result = asked(analysis, "no deal at all")
    for name, frame in frames_of(result).items():
        for column in frame.columns:
            if str(column).endswith(("_rate", "rate", "_share", "share")):
                assert frame[column].isna().all(), (name, column)


def test_a_clean_company_raises_no_alarm(analysis, clean_book):
    assert analysis(clean_book).findings == ()


def numbers_of(result: Result) -> np.ndarray:
    """Collect every number of a result: metrics, cells and the totals of its columns."""
    found = [float(v) for v in result.metrics.values() if v is not None]
    for frame in frames_of(result).values():
        columns = frame.select_dtypes("number").astype(float)
        found += columns.to_numpy().ravel().tolist() + columns.sum().tolist()
    for finding in result.findings:
        found += [float(v) for v in finding.evidence.values() if isinstance(v, int | float)]
    return np.array([v for v in found if v == v])


def test_every_number_in_a_sentence_is_a_number_of_the_result(analysis, sample_book):
    result = analysis(sample_book)
    known = numbers_of(result)
    said = [*result.verdict, *(e.title for e in result.exhibits.values())]
    said += [e.sub for e in result.exhibits.values() if e.sub is not None]
    checked = 0
    for sentence in said:
        for name, value in sentence.fields.items():
            if isinstance(value, int | float | np.number):
                checked += 1
                near = np.isclose(np.abs(known), abs(float(value)), rtol=1e-12, atol=0.005)
                assert near.any(), (sentence.code, name, value)
    assert checked >= 5


def test_every_finding_and_verdict_is_said_in_both_languages(analysis, sample_book):
    result = analysis(sample_book)
    said = {}
    for lang in ("zh", "en"):
        with language(lang):
            said[lang] = [clause.text() for clause in result.verdict]
            said[lang] += [say_finding(finding).text for finding in result.findings]
            assert result.cards.page
    assert len(said["zh"]) == len(said["en"])
    assert all(said["zh"])
    assert said["zh"] != said["en"]
