"""What one kernel found is what another shows: the same report, in whichever language."""

import importlib
import os
import pkgutil
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import salesops.analyses
from salesops.book.book import open_book
from salesops.book.runlog import SHARED
from salesops.wording import language, tell_company
from salesops.wording.language import LANGUAGES
from tests.fixtures import SAMPLE

NAMES = sorted(
    found.name for found in pkgutil.iter_modules(salesops.analyses.__path__)
    if hasattr(importlib.import_module(f"salesops.analyses.{found.name}"), found.name)
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder in which nothing was found yet; SQL may be that of other tests."""
    folder = tmp_path_factory.mktemp("found")
    for path in Path(os.environ[SHARED]).glob("*.sql.json"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def book(place, monkeypatch):
    monkeypatch.setenv(SHARED, str(place))
    found = open_book(SAMPLE)
    tell_company(found.settings)
    return found


def analysis(name):
    return getattr(importlib.import_module(f"salesops.analyses.{name}"), name)


def shown(result) -> list[str]:
    parts = [str(result._repr_mimebundle_())]
    parts += [str(exhibit._repr_mimebundle_()) for exhibit in result.exhibits.values()]
    return [*parts, str(result.cards._repr_mimebundle_()), str(result.how._repr_mimebundle_())]


def in_languages(result, languages) -> dict[str, list[str]]:
    told = {}
    for lang in languages:
        with language(lang):
            told[lang] = shown(result)
    return told


def test_every_analysis_is_looked_at():
    assert len(NAMES) == 14


@pytest.mark.parametrize("name", NAMES)
def test_a_result_of_another_kernel_is_shown_as_ones_own(name, book):
    find = analysis(name)
    with language("zh"):
        own = find(book, period="latest")
    again = open_book(SAMPLE)
    taken = find(again, period="latest")
    assert taken is not own
    assert taken.setting.book.store is again.store
    assert taken.metrics == own.metrics
    # Each is shown first in the language that the other is shown in last.
    mine, theirs = in_languages(own, LANGUAGES), in_languages(taken, LANGUAGES[::-1])
    assert mine == theirs


def test_another_date_scope_or_period_is_another_result(book):
    find = analysis("conversion")
    one = find(book, period="2026-04")
    others = [find(book, period="2026-05"), find(book.as_of("2026-05-01"), period="2026-04"),
              find(book.scope(team="华东"), period="2026-04")]  # fmt: skip
    assert all(other.metrics != one.metrics for other in others)


def test_what_is_left_out_is_asked_as_its_default(book, place):
    find = analysis("conversion")
    find(book, period="latest")
    there = set(place.iterdir())
    assert find(book).metrics == find(book=book, period="latest").metrics
    assert set(place.iterdir()) == there


def test_a_company_with_other_settings_is_another(book):
    find = analysis("conversion")
    store = book.store
    company = store.settings.company.model_copy(update={"fiscal_year_starts": 7})
    other = replace(store, settings=store.settings.model_copy(update={"company": company}))
    assert find(replace(book, store=other), period="latest").setting.book.settings == other.settings


def test_what_is_refused_is_refused_again_and_leaves_nothing(book, tmp_path, monkeypatch):
    monkeypatch.setenv(SHARED, str(tmp_path))
    for _ in range(2):
        with pytest.raises(salesops.SalesopsError):
            analysis("conversion")(book, period="2026-99")
    assert not list(tmp_path.iterdir())


def test_where_it_cannot_be_laid_each_works_it_out(book, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(SHARED, str(tmp_path / "absent"))
    assert analysis("quality")(book, period="latest").metrics
    assert "could not be laid" in caplog.text
