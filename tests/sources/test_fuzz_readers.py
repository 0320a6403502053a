"""Whatever bytes a file holds, its reader gives a table or one clear error."""

import functools
import io
import tempfile
import zipfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salesops.model.errors import SalesopsError
from salesops.model.tables import facts
from salesops.sources.layout import Hints
from salesops.sources.mapping import Source
from salesops.sources.parsing import Parser
from salesops.sources.readers import peek, read_sheet
from tests.sources.test_refused_sheets import table, written

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["合计", "Total", "1月", "2026-01", "万元", "=", '"', "\n", "", "3.5", "1e400",
                     "#N/A", "１２", "单位：万元", "sep=;", "-", "1.23E+17", "2026年3月5日"]),
    st.integers().map(str), st.floats().map(str), st.dates().map(str),
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, max_size=8), max_size=12)
BREAKS = (b"", b"<", b">", b'"', b"9999999", b"XFD1048576", b"<c ", b"</row>", b"&#0;", b"&x;",
          b'r="A0"', b"\xff")  # fmt: skip
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be"])


def tried(data: bytes, hints: Hints | None = None) -> None:
    """Read a file as anything that it may be called; no more rows come out than went in."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deals.csv"
        path.write_bytes(data)
        for read in (functools.partial(read_sheet, hints=hints), peek):
            try:
                sheet = read(path)
            except SalesopsError as error:
                told = str(error)
                if "deals.csv" not in told or "To mend:" not in told:
                    raise
                continue
            assert sheet.layout.n_rows == sheet.layout.n_kept + sheet.layout.n_set_aside
            if not sheet.layout.months:
                assert len(sheet.frame) == sheet.layout.n_kept


@FEW
@given(st.binary(max_size=400))
def test_any_bytes(data):
    tried(data)


@FEW
@given(ROWS, st.sampled_from(",;\t|"), ENCODINGS, st.booleans())
def test_any_cells_as_text(rows, separator, encoding, quoted):
    def written_(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if quoted else cell

    text = "\n".join(separator.join(map(written_, row)) for row in rows)
    tried(text.encode(encoding, "ignore"))


@FEW
@given(
    ROWS,
    st.builds(
        Hints, title_rows=st.none() | st.integers(0, 15), head_rows=st.none() | st.integers(1, 4),
        keep=st.tuples(st.integers(0, 12)), drop=st.tuples(st.integers(0, 12)),
        alone=st.sampled_from(["", "keep", "drop"]),
        month_columns=st.sampled_from(["", "turn", "keep"]),
        year=st.none() | st.integers(1900, 2199), fill_down=st.tuples(CELLS),
    ),
)  # fmt: skip
def test_any_hints(rows, hints):
    width = max((len(row) for row in rows), default=0)
    lines = [",".join('"' + c.replace('"', '""') + '"' for c in row + [""] * (width - len(row)))
             for row in rows]  # fmt: skip
    tried("\n".join(lines).encode("utf-8", "ignore"), hints)


@functools.cache
def whole(kind: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return written(Path(folder), table(), kind).read_bytes()


@FEW
@given(st.sampled_from(["xlsx", "xls"]), st.data())
def test_a_workbook_with_bytes_changed_or_cut(kind, data):
    book = bytearray(whole(kind))
    for _ in range(data.draw(st.integers(1, 8))):
        book[data.draw(st.integers(8, len(book) - 1))] = data.draw(st.integers(0, 255))
    tried(bytes(book[: data.draw(st.integers(8, len(book)))]))


@FEW
@given(st.data())
def test_a_workbook_with_its_texts_changed(data):
    with zipfile.ZipFile(io.BytesIO(whole("xlsx"))) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    part = bytearray(parts[name])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(part) - 1))
        new = data.draw(st.sampled_from(BREAKS))
        part[at : at + data.draw(st.integers(0, 6))] = new
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for other, content in parts.items():
            packed.writestr(other, bytes(part) if other == name else content)
    tried(out.getvalue())


@FEW
@given(
    st.lists(CELLS, max_size=6), st.sampled_from(["id", "amount", "created_at", "is_won",
                                                  "expected_close_on", "probability"]),
    st.builds(
        Source, dates=st.lists(st.sampled_from(["%Y-%m-%d", "%m.%d", "excel", "%d/%m/%y"]),
                               max_size=2).map(tuple),
        year=st.none() | st.integers(1900, 2199), epoch=st.sampled_from(["", "s", "ms"]),
        unit=st.sampled_from([None, "one", "wan", "percent"]),
        decimal=st.sampled_from(["", ",", "."]),
    ),
)  # fmt: skip
def test_any_cells_in_any_column(cells, name, source):
    import pandas as pd

    texts = pd.Series(cells, dtype=object, index=range(2, 2 + len(cells)))
    parser = Parser("deals.csv", "Asia/Shanghai")
    kinds = facts("opportunities")
    found = parser.column(texts, source, kinds.get(name, kinds["amount"]), name)
    assert len(found) == len(texts)
    assert {fault.row for fault in parser.faults} <= set(texts.index)
    # What is neither empty nor a fault has a value.
    wrong = {fault.row for fault in parser.faults}
    for row, text in texts.items():
        if text.strip() and row not in wrong:
            assert not pd.isna(found[row]), (text, name)
