"""Targets on the command line: what the help tells of handing them in."""

import pytest
from typer.testing import CliRunner

from salesops.cli.main import app


@pytest.mark.parametrize(
    "told",
    [
        "An emptied cell keeps its target: write 0 to take it away.",
        "holds from the last day that the book knows, also where that lies before today",
        "a report for that day shows it from now on, reports for earlier days do not.",
    ],
)
def test_the_help_says_what_an_emptied_cell_and_a_date_do(told):
    found = CliRunner().invoke(app, ["targets", "--help"], env={"COLUMNS": "100"})
    assert found.exit_code == 0
    assert told in " ".join(found.output.replace("│", " ").split())
