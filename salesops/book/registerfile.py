"""The register as a file: text in whatever encoding and separator, one row of heads, lines."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from salesops.model.errors import SalesopsError

FILE = "actions.csv"
# The register's columns in the order in which they are written, and how people call them.
HEADS: dict[str, tuple[str, ...]] = {
    "id": ("id", "no", "编号", "行动编号"),
    "kind": ("kind", "type", "类型", "类别"),
    "finding_id": ("finding_id", "finding", "发现编号", "发现"),
    "code": ("code", "finding_code", "发现代码", "代码"),
    "metric": ("metric", "指标"),
    "scope": ("scope", "范围"),
    "owner_id": ("owner_id", "owner", "负责人", "责任人", "负责人编号"),
    "created_at": ("created_at", "created", "created_on", "建立时间", "建立日期", "创建时间",
                   "创建日期", "提出日期"),
    "due_on": ("due_on", "due", "due_date", "deadline", "截止日", "截止日期", "到期日", "期限"),
    "status": ("status", "state", "状态"),
    "done_on": ("done_on", "done", "done_date", "completed_on", "完成日", "完成日期", "完成时间"),
    "baseline": ("baseline", "基线", "基准", "基准值"),
    "expected_effect": ("expected_effect", "expected", "effect", "预期效果", "预期"),
    "note": ("note", "notes", "what", "text", "备注", "说明", "内容", "事项"),
}  # fmt: skip
_COLUMN_OF = {word: column for column, words in HEADS.items() for word in words}
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEPARATORS = ",;\t"


@dataclass(eq=False, kw_only=True)
class BadRegister(SalesopsError, ValueError):
    """A register can't be read as one."""

    where: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.reason}.\n"
            "Expected: a CSV with one row of heads (id, kind, owner_id, due_on, status, note … or "
            "编号, 类型, 负责人, 截止日, 状态, 备注 …) and one row per action, snag or decision.\n"
            f"{self.mend}"
        )


@dataclass(eq=False, kw_only=True)
class BadAction(SalesopsError, ValueError):
    """A register can't be changed as asked."""

    where: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.reason}.\n"
            "Expected: a row that fits the book, its people, teams, metrics and days; nothing was "
            "written.\n"
            f"{self.mend}"
        )


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The cells of a register: heads, what each column is, and the rows with their lines.

    Attributes
    ----------
    heads
        As people wrote them.
    columns
        The canonical column of each head; None where people added one of their own.
    lines
        The line of the file at which each row begins.
    rows
        One tuple of texts per row, as many as there are heads.
    separator
        What stands between two cells.
    encoding
        `utf-8`, `utf-8-sig`, `utf-16` or `gb18030`.
    """

    heads: tuple[str, ...]
    columns: tuple[str | None, ...]
    lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    separator: str = ","
    encoding: str = "utf-8-sig"


def read_grid(data: bytes, where: str) -> Grid:
    r"""Read the cells of a register.

    Parameters
    ----------
    data
        The file's bytes: UTF-8 with or without a mark, UTF-16 with one, or GB18030; separated by
        comma, semicolon or tab.
    where
        Path, for messages.

    Raises
    ------
    BadRegister
        It is empty, no text, in another encoding, has no known head, one twice, or rows that do
        not fit the heads.

    Examples
    --------
    >>> grid = read_grid("编号;备注;房间\nM000001;Call them;3\n".encode("gb18030"), "actions.csv")
    >>> grid.columns, grid.rows
    (('id', 'note', None), (('M000001', 'Call them', '3'),))
    """
    text, encoding = _decoded(data, where)
    lines, first = _without_separator_line(text)
    separator = max(first or _SEPARATORS, key=lambda sign: _n_known(lines, sign))
    numbered = _rows(lines, separator, where, skipped=1 if first else 0)
    if not numbered:
        raise BadRegister(where=where, reason="it is empty", mend="Take the file away, or write "
                          "the row of heads into it.")  # fmt: skip
    _line, heads = numbered[0]
    while heads and not heads[-1].strip() and all(len(r) < len(heads) or not r[len(heads) - 1]
                                                  for _n, r in numbered[1:]):  # fmt: skip
        heads = heads[:-1]
    columns = _columns(heads, where)
    rows = [(line, _fitted(row, len(heads), where, line)) for line, row in numbered[1:]]
    return Grid(
        heads=tuple(heads), columns=columns, lines=tuple(line for line, _row in rows),
        rows=tuple(row for _line, row in rows), separator=separator, encoding=encoding,
    )  # fmt: skip


def write_grid(grid: Grid) -> bytes:
    r"""Write cells as CSV with commas, in UTF-8 with the mark by which Excel knows it.

    Examples
    --------
    >>> grid = Grid(heads=("id", "房间"), columns=("id", None), lines=(2,), rows=(("M1", "3"),))
    >>> write_grid(grid).decode("utf-8-sig")
    'id,房间\r\nM1,3\r\n'
    """
    lines = io.StringIO(newline="")
    # With its own line ends, so that a text with either half of one is put in quotes.
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(grid.heads)
    writer.writerows(grid.rows)
    return lines.getvalue().encode("utf-8-sig")


def is_chinese(text: str) -> bool:
    """Say whether a text read as GB18030 is Chinese: other bytes give characters nobody writes.

    Examples
    --------
    >>> is_chinese("客户甲"), is_chinese("Zoë".encode("latin-1").decode("gb18030", "replace"))
    (True, False)
    """
    others = [c for c in text if ord(c) > 127]
    usual = sum(1 for c in others if _in_everyday_use(c))
    return usual >= 0.9 * len(others)


def _in_everyday_use(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _decoded(data: bytes, where: str) -> tuple[str, str]:
    again = "Save it again in Excel as CSV UTF-8 (逗号分隔)."
    if data[:4] == b"PK\x03\x04" or data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise BadRegister(where=where, reason="it is a workbook, not a CSV", mend=again)
    for mark, encoding in (*_MARKS, (b"", "utf-8"), (b"", "gb18030")):
        if not data.startswith(mark):
            continue
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            raise BadRegister(where=where, reason="it is binary, not text", mend=again)
        if encoding != "gb18030" or is_chinese(text):
            return text, encoding
    raise BadRegister(where=where, reason="its text is neither UTF-8 nor GB18030", mend=again)


def _without_separator_line(text: str) -> tuple[str, str]:
    """Take away the line `sep=;` by which Excel is told the separator."""
    told = re.match(r"\"?sep=([,;\t])\"?\r?\n", text)
    return (text[told.end() :], told[1]) if told else (text, "")


def _n_known(text: str, separator: str) -> int:
    first = next((row for row in _lenient(text, separator) if any(c.strip() for c in row)), [])
    return sum(_called(head) in _COLUMN_OF for head in first)


def _lenient(text: str, separator: str) -> list[list[str]]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return [row for row, _n in zip(reader, range(5), strict=False)]
    except csv.Error:
        return []


def _called(head: str) -> str:
    return head.strip().lower().replace(" ", "_")


def _rows(text: str, separator: str, where: str, skipped: int) -> list[tuple[int, list[str]]]:
    """Give the rows that hold anything with the line at which each begins."""
    # Strict, as a quote that is left open would take all that follows into one cell.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    found, last = [], 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append((last + 1 + skipped, row))
            last = reader.line_num
    except csv.Error as error:
        raise BadRegister(
            where=f"{where}, line {last + 1 + skipped}", reason=f"its quotes do not fit ({error})",
            mend="Write a quote inside a text twice, and close each text that begins with one.",
        ) from error  # fmt: skip
    return found


def _columns(heads: list[str], where: str) -> tuple[str | None, ...]:
    columns = tuple(_COLUMN_OF.get(_called(head)) for head in heads)
    if not any(columns):
        raise BadRegister(where=where, reason=f"none of its heads is known ({', '.join(heads)})",
                          mend="Write the heads into its first row.")  # fmt: skip
    for column in HEADS:
        same = [head for head, c in zip(heads, columns, strict=True) if c == column]
        if len(same) > 1:
            raise BadRegister(where=where, reason=f"{' and '.join(same)} both mean {column}",
                              mend="Rename or take away one of the two.")  # fmt: skip
    return columns


def _fitted(row: list[str], width: int, where: str, line: int) -> tuple[str, ...]:
    if any(cell.strip() for cell in row[width:]):
        raise BadRegister(
            where=f"{where}, line {line}",
            reason=f"it has {len(row)} cells, the row of heads {width}",
            mend="Put a text that holds a separator in quotes, or give the column a head.",
        )  # fmt: skip
    return tuple(row[:width] + [""] * (width - len(row)))


def own_heads(told: Mapping[str, object]) -> tuple[str, ...]:
    """Give the canonical heads, in the order of the register, of which something is told.

    Examples
    --------
    >>> own_heads({"note": "x", "id": "M1"})
    ('id', 'note')
    """
    return tuple(column for column in HEADS if column in told)
