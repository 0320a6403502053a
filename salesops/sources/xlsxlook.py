"""What a library that gives values does not tell of an .xlsx: its size, errors, empty results."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError, XMLPullParser

from salesops.sources.formats import Shown, shown_by
from salesops.sources.grid import Mark, column_of
from salesops.sources.layout import UnreadableFile

# Cells that are laid out in memory for a sheet: 1,000,000 rows by 20 columns.
MOST_CELLS = 20_000_000
# Bytes of a workbook that is unpacked, and how much smaller it may be packed.
MOST_BYTES, MOST_RATIO, SMALL = 1 << 30, 300, 1 << 26
_CHUNK = 1 << 20
# The most that one cell takes between its tags; Excel holds 32,767 characters in it.
_LONGEST = 1 << 18
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(/?)>")
_PLACED = re.compile(rb"<(?:\w+:)?c\b[^>]*?\br=[\"']([A-Z]{1,3})(\d{1,7})[\"'](?:[^>]*[^/>])?>")
_END = re.compile(rb"</(?:\w+:)?c>")
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})(\d{1,7})[\"']")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b")
_VALUE = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]*)<")
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*\bhidden=[\"'](?:1|true)[\"']")
_STYLE = re.compile(rb"\bs=[\"'](\d+)[\"']")
_ERROR = re.compile(rb"\bt=[\"']e[\"']")
_WORDS = re.compile(rb"\bt=[\"']str[\"']")
# A cell that holds something else than a number.
_NO_NUMBER = re.compile(rb"\bt=[\"'](?:s|str|inlineStr|b|e)[\"']")
_PERCENT_IDS = {"9", "10"}


@dataclass
class Look:
    """What the text of a sheet tells."""

    marks: list[Mark] = field(default_factory=list)
    percents: set[int] = field(default_factory=set)
    shown: dict[int, dict[Shown, list[int]]] = field(default_factory=dict)
    n_hidden_rows: int = 0
    last_row: int = 0
    last_column: int = 0
    uncomputed: bool = False


def _kind(members: list[str]) -> tuple[str, str]:
    """Say what a packed file is that is no .xlsx, and what to do with it."""
    mend = "save it as .xlsx or as CSV UTF-8."
    if "xl/workbook.bin" in members:
        return "it is a binary workbook (.xlsb)", mend
    if {"content.xml", "mimetype"} <= set(members):
        return "it is an OpenDocument file (.ods)", mend
    if any(name.lower().endswith((".csv", ".xlsx", ".json")) for name in members):
        return "it is an archive of files", "unpack it, and import the folder."
    return "it is a packed file of another kind", mend


def check_size(path: Path, where: str) -> None:
    """Refuse a packed file that grows beyond reason when it is unpacked.

    Raises
    ------
    UnreadableFile
        It is damaged, or too large.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            total = sum(m.file_size for m in members)
            small = max(sum(m.compress_size for m in members), 1)
            if any(m.flag_bits & 1 for m in members):
                raise UnreadableFile(where=where, reason="it is packed with a password",
                                     mend="save it without a password.")  # fmt: skip
            if "xl/workbook.xml" not in packed.namelist():
                reason, mend = _kind(packed.namelist())
                raise UnreadableFile(where=where, reason=reason, mend=mend)
    except UnreadableFile:
        raise
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableFile(where=where, reason=f"it is no whole .xlsx workbook ({error})",
                             mend="open it in Excel or LibreOffice and save it again.",
                             ) from error  # fmt: skip
    if total > MOST_BYTES or (total > SMALL and total > MOST_RATIO * small):
        raise UnreadableFile(
            where=where, mend="copy the table alone into a new workbook, or save it as CSV UTF-8.",
            reason=f"unpacked it takes {total / 1e6:,.0f} MB, {total // small} times its size",
        )  # fmt: skip
    _check_truth(path, where)


def _check_truth(path: Path, where: str) -> None:
    """Refuse a file whose parts are larger than they say; the checksum tells.

    Sheets are left to whoever reads them.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            for member in packed.infolist():
                name = member.filename
                if name.startswith("xl/") and not name.startswith(("xl/media", "xl/worksheets")):
                    with packed.open(member) as file:
                        while file.read(_CHUNK):
                            pass
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, RuntimeError, NotImplementedError,
            zlib.error) as error:  # fmt: skip
        raise UnreadableFile(where=where, reason=f"it is no whole .xlsx workbook ({error})",
                             mend="open it in Excel or LibreOffice and save it again.",
                             ) from error  # fmt: skip


def look_at(path: Path, sheet: str, where: str) -> Look:
    """Read the text of one sheet once, for what its values do not tell.

    Raises
    ------
    UnreadableFile
        It is damaged, or its cells lie so far apart that they do not fit into memory.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            part = _part_of(packed, sheet)
            if part is None:
                return Look()
            styles = _styles(packed)
            look = Look(uncomputed=_is_uncomputed(packed))
            for text in _pieces(packed, part):
                _note(look, text, styles, where)
            return look
    except UnreadableFile:
        raise
    except (zipfile.BadZipFile, OSError, KeyError, ValueError, ParseError, EOFError,
            NotImplementedError, RuntimeError, zlib.error) as error:  # fmt: skip
        raise UnreadableFile(where=where, reason=f"it is no whole .xlsx workbook ({error})",
                             mend="open it in Excel or LibreOffice and save it again.",
                             ) from error  # fmt: skip


def _part_of(packed: zipfile.ZipFile, sheet: str) -> str | None:
    """Find the file of a sheet by the workbook's own list."""
    links = {}
    for name, attributes in _elements(packed, "xl/_rels/workbook.xml.rels"):
        if name == "Relationship":
            links[attributes.get("Id", "")] = attributes.get("Target", "")
    for name, attributes in _elements(packed, "xl/workbook.xml"):
        if name == "sheet" and attributes.get("name") == sheet:
            key = next((v for k, v in attributes.items() if k.endswith("}id")), "")
            target = links.get(key, "")
            found = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return found if found in packed.namelist() else None
    return None


def _elements(packed: zipfile.ZipFile, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    if name not in packed.namelist():
        return
    parser: Any = XMLPullParser(["start"])
    with packed.open(name) as file:
        while chunk := file.read(_CHUNK):
            if b"<!ENTITY" in chunk or b"<!DOCTYPE" in chunk:
                raise ValueError("it declares entities")
            parser.feed(chunk)
            for _event, element in parser.read_events():
                yield element.tag.rpartition("}")[2], dict(element.attrib)
                element.clear()


def _is_uncomputed(packed: zipfile.ZipFile) -> bool:
    """Say whether the program that wrote the workbook left computing to the next one.

    Some of them write a 0 where a result has to come.
    """
    told = [a.get("fullCalcOnLoad") for name, a in _elements(packed, "xl/workbook.xml")
            if name == "calcPr"]  # fmt: skip
    return any(value in ("1", "true") for value in told)


def _styles(packed: zipfile.ZipFile) -> dict[int, Shown]:
    """Give the styles that add something to a number, by their place in the workbook's list."""
    formats: dict[str, str] = {}
    styles: dict[int, Shown] = {}
    inside, n = False, 0
    for name, attributes in _elements(packed, "xl/styles.xml"):
        if name == "numFmt":
            formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            inside = True
        elif name in ("cellStyles", "dxfs"):
            inside = False
        elif inside and name == "xf":
            key = attributes.get("numFmtId", "")
            shown = Shown(percent=True) if key in _PERCENT_IDS else shown_by(formats.get(key, ""))
            if shown != Shown():
                styles[n] = shown
            n += 1
    return styles


def _pieces(packed: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Give a sheet's text in pieces that end with a cell."""
    rest = b""
    with packed.open(part) as file:
        while chunk := file.read(_CHUNK):
            rest += chunk
            end = 0
            for found in _END.finditer(rest, max(len(rest) - _LONGEST, 0)):
                end = found.end()
            if end:
                yield rest[:end]
                rest = rest[end:]
            elif len(rest) > 16 * _CHUNK:
                # Nothing but empty cells, of which the last may be cut.
                yield rest
                rest = b""
    yield rest


def _note(look: Look, text: bytes, styles: Mapping[int, Shown], where: str) -> None:
    look.n_hidden_rows += len(_HIDDEN_ROW.findall(text)) if b"hidden=" in text else 0
    places = _PLACED.findall(text)
    if places:
        look.last_row = max(look.last_row, *(int(row) for _, row in places))
        columns = {name for name, _ in places}
        look.last_column = max(look.last_column, *(column_of(c.decode()) + 1 for c in columns))
    if look.last_row * look.last_column > MOST_CELLS:
        raise UnreadableFile(
            where=where, mend="delete the rows and columns outside of the table, or save it as "
            "CSV UTF-8.", reason=f"its cells reach to row {look.last_row:,} and column "
            f"{look.last_column:,}, more than {MOST_CELLS:,} cells",
        )  # fmt: skip
    if b"<f" in text or b":f" in text or _ERROR.search(text) or styles:
        _note_cells(look, text, styles)


def _note_cells(look: Look, text: bytes, styles: Mapping[int, Shown]) -> None:
    for found in _CELL.finditer(text):
        if found[2]:
            continue
        place = _PLACE.search(found[1])
        if place is None:
            continue
        column, row = column_of(place[1].decode()), int(place[2])
        style = _STYLE.search(found[1])
        as_shown = styles.get(int(style[1])) if style else None
        if as_shown and as_shown.percent:
            look.percents.add(column)
        end = _END.search(text, found.end())
        inside = text[found.end() : end.start() if end else None]
        value = _VALUE.search(inside)
        kind = None
        if _ERROR.search(found[1]):
            kind = "error"
        elif _FORMULA.search(inside) and _has_no_result(look, found[1], value):
            kind = "no_result"
        elif as_shown and as_shown.scaled and value:
            kind = "scaled"
        if as_shown and as_shown.says_more and value and not _NO_NUMBER.search(found[1]):
            look.shown.setdefault(column, {}).setdefault(as_shown, []).append(row)
        if kind is not None:
            shown = value[1].decode("utf-8", "replace") if value else ""
            look.marks.append(Mark(row=row, column=column, kind=kind, text=shown))  # type: ignore[arg-type]


def _has_no_result(look: Look, attributes: bytes, value: re.Match[bytes] | None) -> bool:
    if value and value[1]:
        return look.uncomputed and value[1] == b"0"
    # A result that is an empty text is one.
    return not (value and _WORDS.search(attributes))
