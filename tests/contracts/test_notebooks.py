"""Every notebook is thin, carries no output and is translated."""

import ast
import json
import re
from pathlib import Path

import pytest

from salesops.reports.jobs import parameters_of, read_notebook
from salesops.wording.notebooks import stale_paragraphs

NOTEBOOKS = sorted(Path("notebooks").glob("*.ipynb"))
DECIDES = (ast.FunctionDef, ast.ClassDef, ast.If, ast.For, ast.While, ast.Lambda, ast.With, ast.Try)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return json.loads(request.param.read_text(encoding="utf-8")) | {"stem": request.param.stem}


def code_cells(notebook) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_a_notebook_calls_and_shows_and_decides_nothing(notebook):
    for cell in code_cells(notebook):
        source = "".join(cell["source"])
        nodes = list(ast.walk(ast.parse(source)))
        assert not [n for n in nodes if isinstance(n, DECIDES)], cell["id"]
        limit = 9 if "parameters" in cell["metadata"].get("tags", []) else 6
        assert len(source.splitlines()) <= limit, cell["id"]


def test_a_notebook_is_committed_without_outputs(notebook):
    for cell in code_cells(notebook):
        assert cell["outputs"] == [], cell["id"]
        assert cell["execution_count"] is None, cell["id"]


def test_cell_ids_can_be_read(notebook):
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))
    for one in ids:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", one), one
    assert len(ids) <= 20


def test_only_the_first_code_cell_imports(notebook):
    for cell in code_cells(notebook)[1:]:
        nodes = ast.walk(ast.parse("".join(cell["source"])))
        assert not [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)], cell["id"]


def test_parameters_are_typed_and_explained(notebook):
    (cell,) = [c for c in code_cells(notebook) if "parameters" in c["metadata"].get("tags", [])]
    lines = [line for line in "".join(cell["source"]).splitlines() if ":" in line]
    for line in lines:
        assert re.fullmatch(r"\w+: (str|int|float|bool|list\[\w+\]) = [^=#]+  # .+", line), line
    assert list(parameters_of(notebook["stem"]))[:4] == ["book", "as_of", "scope", "lang"]


def test_every_paragraph_is_translated_from_its_present_text(notebook):
    assert stale_paragraphs(read_notebook(notebook["stem"]), notebook["stem"]) == []


def test_a_changed_paragraph_is_told_with_old_and_new():
    notebook = read_notebook("funnel")
    title = next(c for c in notebook.cells if c.id == "title")
    old = title.source.split("\n\n")[1]
    title.source = title.source.replace(old, "Something else?")
    (told,) = stale_paragraphs(notebook, "funnel")
    assert "Something else?" in told
    assert old in told
