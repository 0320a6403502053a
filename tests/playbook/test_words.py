"""The words of the playbook stand in both languages and are well written."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from salesops.playbook.lessons import LESSONS, exercises
from salesops.wording.catalogue import FORMATS, entries, paragraphs
from salesops.wording.notebooks import prose, stale_paragraphs
from tools.book import write_book

FOLDER = Path("notebooks/playbook")
ENTRIES = entries("playbook")
FIELD = re.compile(r"\{(\w+)\}")
CJK = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(params=[lesson.stem for lesson in LESSONS])
def stem(request):
    return request.param


def notebook(stem: str):
    return nbformat.read(FOLDER / f"{stem}.ipynb", as_version=4)


def test_every_notebook_is_a_lesson():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == [one.stem for one in LESSONS]


def test_every_entry_has_its_fields_in_both_languages():
    for code, entry in ENTRIES.items():
        used = [set(FIELD.findall(text)) for text in (*entry.en, entry.zh)]
        assert used[0] == used[-1] == set(entry.fields), code
        assert set(entry.fields.values()) <= set(FORMATS), code
        assert CJK.search(entry.zh), code
        assert not re.search(r"[\u4e00-\u9fff][,;:?!]", FIELD.sub("", entry.zh)), code
        for english in entry.en:
            assert not re.search(r"[\u4e00-\u9fff“”‘’×，。；：？！、（）]", english), code


def test_every_exercise_has_its_words_and_no_other_has():
    wanted = {
        f"lesson.{name}.{part}"
        for name, one in exercises().items()
        for part in ("because", *(f"hint{n + 1}" for n in range(one.hints)),
                     *(f"wrong.{wrong}" for wrong in one.wrong))
    }  # fmt: skip
    there = {code for code in ENTRIES if re.match(r"lesson\.L\d\d\.\d\.", code)}
    assert there == wanted


def test_every_paragraph_is_translated_from_its_present_text(stem):
    assert stale_paragraphs(notebook(stem), f"playbook/{stem}") == []


def test_no_translation_is_left_of_an_older_text():
    used = {pair for one in LESSONS for pair in prose(notebook(one.stem), f"playbook/{one.stem}")}
    assert set(paragraphs("playbook")) - used == set()


def test_chinese_prose_uses_full_width_punctuation(stem):
    for (context, _english), text in paragraphs("playbook").items():
        if context.startswith(f"notebook:playbook/{stem}:"):
            bare = re.sub(r"`[^`]*`|\*[^*]*\*", "", text)
            assert not re.search(r"[\u4e00-\u9fff][,;:?!]", bare), text


def test_a_lesson_is_committed_without_outputs_and_with_readable_ids(stem):
    cells = json.loads((FOLDER / f"{stem}.ipynb").read_text("utf-8"))["cells"]
    ids = [cell["id"] for cell in cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", one) for one in ids)
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            assert len(cell["source"]) <= 9, cell["id"]


def test_a_lesson_asks_practises_and_ends_with_questions_and_sources(stem):
    ids = [cell.id for cell in notebook(stem).cells]
    assert ids[:2] == ["title", "open"]
    assert "?" in notebook(stem).cells[0].source
    for wanted in ("guess", "questions", "reading"):
        assert wanted in ids, wanted


def test_the_exercises_of_a_notebook_are_those_of_its_lesson(stem):
    lesson = next(one for one in LESSONS if one.stem == stem)
    cells = [c for c in notebook(stem).cells if "exercise" in c.metadata]
    assert [c.metadata.exercise for c in cells] == [one.id for one in lesson.exercises]
    for cell in cells:
        assert "____" in cell.source
        assert cell.source.splitlines()[-1].startswith(f'check("{cell.metadata.exercise}", ')


def test_the_book_has_every_lesson_in_both_languages_and_asks_nobody(tmp_path):
    written = write_book(tmp_path)
    assert len(written) == 2 * (len(LESSONS) + 1) + 1
    for path in written:
        page = path.read_text("utf-8")
        assert not re.search(r'src="(https?:)?//|@import', page), path.name
        assert re.findall("<link.*?>", page) == ['<link rel="stylesheet" href="book.css">']
        assert "<script" not in page
        for target in re.findall(r'href="([^"#:]+)"', page):
            if target != "glossary.en.html":
                assert (tmp_path / target).exists(), (path.name, target)
        for one in exercises().values():
            assert one.solution.strip() not in page
    style = (tmp_path / "book.css").read_text("utf-8")
    assert "http" not in style
    assert style.count('format("woff2")') == 1
    assert "win_rate" in (tmp_path / "glossary.html").read_text("utf-8")


def test_the_book_shows_the_tables_of_an_example_and_nothing_of_answers(tmp_path, made):
    lesson = next(one for one in LESSONS if one.number == "09")
    write_book(tmp_path, {"en": made}, [lesson])
    page = (tmp_path / "09_stall.en.html").read_text("utf-8")
    assert page.count('class="dataframe"') == 1
    assert "silent_days</th>" in page
    for told in ("not attempted", made.name, "set(ten) &amp; oldest), 0", "(0, 0)", "Traceback"):
        assert told.lower() not in page.lower(), told
    assert 'class="dataframe"' not in (tmp_path / "09_stall.zh.html").read_text("utf-8")
