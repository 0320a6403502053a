"""`salesops lab`: JupyterLab over copies of the notebooks in the reader's language."""

import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import nbformat
from rich.console import Console

from salesops.cli.running import BadOption
from salesops.model.errors import SalesopsError
from salesops.reports.jobs import known_reports, read_notebook
from salesops.wording import translate_notebook


@dataclass(eq=False, kw_only=True)
class NoJupyterLab(SalesopsError, RuntimeError):
    """JupyterLab is not installed."""

    def __str__(self) -> str:
        return (
            "JupyterLab is not installed.\n"
            "Expected: the extra `lab`.\n"
            "Install it with: pip install 'salesops[lab]'"
        )


def open_lab(lang: str, folder: str, port: int, out: Console) -> None:
    """Copy the notebooks that are not there yet, in one language, and open them."""
    if lang not in ("zh", "en"):
        raise BadOption(option="--lang", value=lang, expected="zh or en")
    if find_spec("jupyterlab") is None:
        raise NoJupyterLab
    copied = copy_notebooks(Path(folder), lang)
    out.print(f"{len(copied)} notebooks copied into {folder}; those that were there are kept.")
    command = [sys.executable, "-m", "jupyterlab", "--port", str(port), folder]
    sys.exit(subprocess.run(command, check=False).returncode)


def copy_notebooks(folder: Path, lang: str) -> list[Path]:
    """Write the notebooks in a language, never over one that the reader may have changed."""
    folder.mkdir(parents=True, exist_ok=True)
    copied = []
    for report in known_reports():
        target = folder / f"{report}.{lang}.ipynb"
        if target.exists():
            continue
        notebook = translate_notebook(read_notebook(report), report, lang)
        for cell in notebook.cells:
            if cell.id == "parameters":
                cell.source = cell.source.replace('lang: str = "en"', f'lang: str = "{lang}"')
        nbformat.write(notebook, target)  # type: ignore[no-untyped-call]
        copied.append(target)
    return copied
