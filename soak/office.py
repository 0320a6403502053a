"""Open in LibreOffice what salesops writes, and compare encoding and types cell by cell.

Exits with 1 where a cell came out as something else; where LibreOffice is not installed it says
that this was not run, and how to install it.
"""

import codecs
import datetime as dt
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from salesops.book.registerfile import Grid, write_grid
from salesops.reports.sheets import Sheet, write_csv, write_workbook
from salesops.sources.parsing import Fault
from salesops.sources.readers import read_sheet
from salesops.sources.setaside import aside_text
from salesops.sources.targetfiles import write_target_file

INSTALL = "sudo apt-get install --no-install-recommends libreoffice-calc-nogui"
_NAMES = {
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
}
_SECONDS = 180
# Commas, quotes, UTF-8, from the first row on.
_AS_TEXT = "Text - txt - csv (StarCalc):44,34,76,1"
# Rows and columns that are repeated to the end of a sheet are empty.
_MOST_REPEATED = 1_000
# Type and value of a cell as LibreOffice has it: text, number, day, instant or nothing.
Cell = tuple[str, str]
TEXTS = ("宁波永新光学", "Zoë 🚀", "=1+1", "-5", "第一行\n第二行", "逗,号;分\t号")


def program() -> str | None:
    """Give LibreOffice's program: that of the variable SOFFICE, or an installed one."""
    named = os.environ.get("SOFFICE")
    return named or shutil.which("soffice") or shutil.which("libreoffice")


def opened(files: list[Path], soffice: str, folder: Path) -> dict[str, list[list[Cell]]]:
    """Open files, and give the cells of all sheets.

    Without a window LibreOffice looks for no mark of an encoding, so it is told what its dialog
    would offer by the mark, which each CSV must have.
    """
    begin = [soffice, "--headless", "--norestore", "--convert-to", "fods", "--outdir",
             str(folder / "out"), f"-env:UserInstallation={(folder / 'me').as_uri()}"]  # fmt: skip
    texts = [file for file in files if file.suffix == ".csv"]
    for options, some in ((["--infilter=" + _AS_TEXT], texts), ([], [*set(files) - set(texts)])):
        done = subprocess.run([*begin, *options, *map(str, some)], capture_output=True, text=True,
                              timeout=_SECONDS, check=False)  # fmt: skip
        if lost := [f.name for f in some if not _made(folder, f).exists()]:
            raise SystemExit(f"LibreOffice did not open {lost[0]}: {done.stderr[-500:]}")
    return {file.name: list(_rows(_made(folder, file))) for file in files}


def _made(folder: Path, file: Path) -> Path:
    return folder / "out" / f"{file.stem}.fods"


def _rows(path: Path) -> Iterator[list[Cell]]:
    for row in ElementTree.parse(path).iterfind(".//table:table-row", _NAMES):
        if _repeated(row, "rows") > _MOST_REPEATED:
            continue
        cells = []
        for cell in row.iterfind("table:table-cell", _NAMES):
            cells += [_cell(cell)] * min(_repeated(cell, "columns"), _MOST_REPEATED)
        while cells and cells[-1] == ("", ""):
            cells.pop()
        for _ in range(_repeated(row, "rows")):
            if cells:
                yield cells


def _repeated(element: ElementTree.Element, what: str) -> int:
    return int(element.get(f"{{{_NAMES['table']}}}number-{what}-repeated", "1"))


def _cell(element: ElementTree.Element) -> Cell:
    office = "{" + _NAMES["office"] + "}"
    kind = element.get(f"{office}value-type", "")
    if element.get(f"{{{_NAMES['table']}}}formula") is not None:
        kind = f"formula {kind}"
    lines = [_text(p) for p in element.iterfind("text:p", _NAMES)]
    value = element.get(f"{office}value") or element.get(f"{office}date-value")
    return kind, value or element.get(f"{office}boolean-value") or "\n".join(lines)


def _text(element: ElementTree.Element) -> str:
    """Give the text of a paragraph, of which some signs are elements."""
    name = element.tag.rpartition("}")[2]
    own = {"tab": "\t", "line-break": "\n"}.get(name, "")
    if name == "s":
        own = " " * int(element.get(f"{{{_NAMES['text']}}}c", "1"))
    inner = "".join(_text(child) + (child.tail or "") for child in element)
    return own + (element.text or "") + inner


def number(value: float) -> Cell:
    """Give a number as LibreOffice writes it."""
    return "float", f"{value:.15g}"


def day(value: dt.date) -> Cell:
    """Give a day as LibreOffice writes it."""
    return "date", value.isoformat()


def text(value: str) -> Cell:
    """Give a text; one that could begin a formula stands behind an apostrophe."""
    return "string", value


def written(folder: Path) -> dict[Path, list[list[Cell]]]:
    """Write a file of each kind, and say what its cells must be."""
    days = [dt.date(2026, 3, 5), dt.date(2025, 12, 31), dt.date(2026, 2, 28)] * 2
    amounts = [1234.5, -20.0, 0.25, 1e9, 12.0, 3.0]
    safe = [f"'{t}" if t[0] in "=-" else t for t in TEXTS]
    frame = pd.DataFrame({"客户": TEXTS, "金额": amounts, "签单日": days})
    ids = [f"{i * 37:06d}" for i in range(5)] + ["900100200300400501"]
    whole = frame.assign(编号=ids)
    rows = [[text(t), number(a), day(d)] for t, a, d in zip(safe, amounts, days, strict=True)]
    found = {
        write_csv(frame, folder / "rows.csv"): [
            [text("客户"), text("金额"), text("签单日")], *rows],
        # Ids keep their digits where a cell has a type: a CSV that is opened loses them.
        write_workbook([Sheet(name="商机", frame=whole, kinds={"签单日": "date"})],
                       folder / "book.xlsx"): [
            [text("客户"), text("金额"), text("签单日"), text("编号")],
            *[[*row, text(i)] for row, i in zip(rows, ids, strict=True)]],
    }  # fmt: skip
    return found | _kept_by_hand(folder) | _targets(folder)


def _kept_by_hand(folder: Path) -> dict[Path, list[list[Cell]]]:
    """Write a register, and rows that were set aside."""
    register = folder / "actions.csv"
    register.write_bytes(write_grid(Grid(
        heads=("编号", "内容", "期限"), columns=("id", "note", "due_on"), lines=(2,),
        rows=(("M000001", "给客户打电话\n再约时间", "2026-03-31"),),
    )))  # fmt: skip
    export = folder / "deals.csv"
    export.write_text("编号,客户,金额\nD-1,甲公司,viel\n", encoding="utf-8")
    aside = folder / "set-aside.csv"
    fault = Fault("deals.csv", 2, "金额", "viel", "is no number")
    aside.write_text(aside_text([fault], [read_sheet(export)]), encoding="utf-8")
    return {
        register: [
            [text("编号"), text("内容"), text("期限")],
            [text("M000001"), text("给客户打电话\n再约时间"), day(dt.date(2026, 3, 31))],
        ],
        aside: [
            [text(h) for h in ("salesops_problem", "salesops_file", "salesops_row", "编号", "客户",
                               "金额")],
            [text("金额: 'viel' is no number"), text("deals.csv"), number(2), text("D-1"),
             text("甲公司"), text("viel")],
        ],
    }  # fmt: skip


def _targets(folder: Path) -> dict[Path, list[list[Cell]]]:
    """Write targets as a list; their workbook is looked at by its sums."""
    people = pd.DataFrame({"id": ["u1"], "name": ["张伟"], "team": ["华东/一组"]})
    told = pd.DataFrame([("2027-01", "user", "u1", "bookings", 12_345)],
                        columns=["period", "level", "key", "metric", "cents"])  # fmt: skip
    path = folder / "targets.csv"
    write_target_file(told, people, path, "zh")
    heads = path.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
    return {path: [
        [text(h) for h in heads],
        [text("2027-01"), text("user"), text("u1"), text("张伟"), text("bookings"),
         number(123.45)],
    ]}  # fmt: skip


def differing(found: list[list[Cell]], wanted: list[list[Cell]]) -> Iterator[str]:
    """Name the cells that are not what was written."""
    if len(found) != len(wanted):
        yield f"{len(found)} rows where {len(wanted)} were written"
    for r, (is_, should) in enumerate(zip(found, wanted, strict=False), 1):
        if len(is_) != len(should):
            yield f"row {r}: {len(is_)} cells where {len(should)} were written"
        for c, (a, b) in enumerate(zip(is_, should, strict=False), 1):
            if (a[0], _exact(a)) != (b[0], _exact(b)):
                yield f"row {r}, column {c}: {a} where {b} was written"


def _exact(cell: Cell) -> str | float:
    return float(cell[1]) if cell[0] == "float" else cell[1]


def main() -> int:
    """Open all and compare."""
    soffice = program()
    if soffice is None:
        print(f"Not run: LibreOffice is not installed, so whether it opens our files is not known. "
              f"To install: {INSTALL}")  # fmt: skip
        return 0
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = written(folder)
        found = opened(list(wanted), soffice, folder)
        for path, cells in wanted.items():
            faults = list(differing(found[path.name], cells))
            if path.suffix == ".csv" and not path.read_bytes().startswith(codecs.BOM_UTF8):
                faults.append("it has no mark of its encoding")
            wrong += bool(faults)
            n = sum(map(len, cells))
            print(f"LibreOffice, {path.name}: {'; '.join(faults) or f'{n} cells as written'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
