"""In which encoding a text file is: found out over the whole file, in bounded memory."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unicodedata import category

from salesops.book.registerfile import is_chinese
from salesops.sources.layout import UnreadableFile

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CHUNK = 1 << 22
# Kinds of characters that stand in no table of words.
_NEVER = ("Cc", "Cn", "Co", "Cs")
# Characters beyond ASCII by which a file's language is judged.
_SAMPLE = 200_000
# Spaces that no library takes for such.
_UNSEEN = (b"\xe2\x80\x8b", b"\xef\xbb\xbf")
# One of these is in every word for a total.
_TOTALS = tuple(w.encode() for w in ("计", "总和", "otal", "OTAL", "Sum", "SUM", "sum"))
_LONGEST = max(map(len, (*_TOTALS, *_UNSEEN))) - 1
_SAVE = 'save it as UTF-8, or name its encoding in the mapping: encoding = "big5".'


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What one look over the bytes of a text tells.

    Attributes
    ----------
    encoding
        As Python calls it.
    n_lines
        Lines; 0 where bytes don't tell.
    unseen
        Whether spaces of no width may stand around values.
    may_total
        Whether a word for a total can be in it.
    lone_returns
        Whether lines may end with a carriage return alone.
    quoted
        Whether there may be quotes.
    """

    encoding: str
    n_lines: int = 0
    unseen: bool = True
    may_total: bool = True
    lone_returns: bool = False
    quoted: bool = True


def survey(path: Path, where: str, declared: str = "") -> Survey:
    """Find out the encoding of a text file and how regular it looks.

    Raises
    ------
    UnreadableFile
        It is binary, is not in the encoding that it or the mapping says, or its encoding can't be
        told.
    """
    if declared:
        check_declared(path, where, declared)
        plain = declared.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
        return _looked(path, declared) if plain else Survey(encoding=declared)
    with path.open("rb") as file:
        begin = file.read(4096)
    for mark, encoding in _MARKS:
        if begin.startswith(mark):
            fault = _first_fault(path, encoding)
            if fault is not None:
                raise UnreadableFile(where=where, mend="save it as UTF-8.",
                                     reason=f"it says {encoding} but is not: {fault}")  # fmt: skip
            return _looked(path, encoding) if encoding == "utf-8-sig" else Survey(encoding=encoding)
    if b"\x00" in begin or _has_nul(path):
        return Survey(encoding=_unmarked_utf16(path, begin, where))
    if _is_utf8(path):
        return _looked(path, "utf-8")
    return _other(path, where)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def decoded(path: Path, encoding: str, errors: str = "strict") -> Iterator[str]:
    """Give a file's text piece by piece."""
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    for chunk in _chunks(path):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _first_fault(path: Path, encoding: str) -> str | None:
    try:
        for _text in decoded(path, encoding):
            pass
    except UnicodeError as error:
        return str(error)
    return None


def _is_utf8(path: Path) -> bool:
    """Say whether a file is UTF-8; Arrow tells it ten times faster than Python decodes."""
    import pyarrow as pa

    rest = b""
    try:
        for chunk in _chunks(path):
            text = rest + chunk
            # The last character may be cut; one has four bytes at most.
            last = next((n for n in range(1, min(4, len(text)) + 1) if text[-n] & 0xC0 != 0x80), 0)
            rest = text[len(text) - last :]
            pa.array([text[: len(text) - last]], pa.binary()).cast(pa.string())
        pa.array([rest], pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def check_declared(path: Path, where: str, encoding: str) -> None:
    """Refuse an encoding that a mapping names, and that there is not or the file is not in.

    Raises
    ------
    UnreadableFile
        It is none, or of bytes rather than of texts, or a byte does not fit.
    """
    try:
        # Python knows encodings of bytes too, such as base64, which no file of texts is in.
        "".encode(encoding)
        fault = _first_fault(path, encoding)
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        fault = str(error)
    if fault is not None:
        raise UnreadableFile(
            where=where, reason=f"the mapping says that it is {encoding}: {fault}",
            mend="name its encoding in the mapping, or save it as UTF-8.",
        )  # fmt: skip


def _has_nul(path: Path) -> bool:
    return any(b"\x00" in chunk for chunk in _chunks(path))


def _unmarked_utf16(path: Path, begin: bytes, where: str) -> str:
    """Tell UTF-16 without a mark from binary: its line breaks and commas have a zero beside."""
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = begin[: len(begin) // 2 * 2].decode(encoding, "strict")
        except UnicodeDecodeError:
            continue
        usual = sum(category(c) not in _NEVER or c in "\r\n\t" for c in text)
        ascii_ones = sum(c.isascii() for c in text)
        told = usual == len(text) and ascii_ones >= 0.2 * len(text)
        if told and _first_fault(path, encoding) is None:
            return encoding
    raise UnreadableFile(where=where, reason="it is binary, not text",
                         mend="export it as CSV in UTF-8 or as .xlsx.")  # fmt: skip


def _looked(path: Path, encoding: str) -> Survey:
    """Count lines and look for what makes a text irregular."""
    breaks, returns, pairs = 0, 0, 0
    unseen = may_total = quoted = False
    tail = b""
    for chunk in _chunks(path):
        breaks += chunk.count(b"\n")
        if b"\r" in chunk or tail[-1:] == b"\r":
            returns += chunk.count(b"\r")
            pairs += (tail[-1:] + chunk).count(b"\r\n")
        # A word may be cut by the end of a piece; the first bytes of all may be a mark.
        text, begin = tail + chunk, 0 if tail else 3
        if not (unseen and may_total) and _holds_any(text):
            unseen = unseen or any(text.find(sign, begin) >= 0 for sign in _UNSEEN)
            may_total = may_total or any(word in text for word in _TOTALS)
        quoted = quoted or b'"' in chunk
        tail = text[-_LONGEST:]
    ends = breaks + (0 if _last_byte(path) == b"\n" else 1)
    return Survey(encoding=encoding, n_lines=ends, unseen=unseen, may_total=may_total,
                  lone_returns=returns != pairs, quoted=quoted)  # fmt: skip


def _holds_any(text: bytes) -> bool:
    """Say whether there is any word for a total or unseen space, all looked for at once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.match_substring_regex(pa.array([text], pa.binary()), b"|".join(_TOTALS + _UNSEEN))
    return bool(found[0].as_py())


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)


def _other(path: Path, where: str) -> Survey:
    """Judge a text that is not UTF-8: GB18030, Western European, or not to be told."""
    broken = _broken_utf8(path)
    if broken is not None:
        raise UnreadableFile(
            where=where, mend="export it again, or mend that value and save it as UTF-8.",
            reason=f"it is UTF-8, but line {broken} holds bytes that are not",
        )  # fmt: skip
    if _first_fault(path, "gb18030") is None:
        # Signs of currencies and of punctuation are no words of any language.
        sample = re.sub("[¥€£·–—…]", "", _beyond_ascii(path, "gb18030"))
        if is_chinese(sample) and _common(sample):
            return Survey(encoding="gb18030")
    for encoding in ("latin-1", "cp1252"):
        if _first_fault(path, encoding) is None and _western(path, encoding):
            return Survey(encoding=encoding)
    raise UnreadableFile(where=where, reason="its encoding can't be told: it is neither UTF-8, "
                         "UTF-16, GB18030 nor Western European", mend=_SAVE)  # fmt: skip


def _broken_utf8(path: Path) -> int | None:
    """Give the line of the first wrong byte where nearly all else is UTF-8."""
    wrong = right = line = 0
    first = None
    for text in decoded(path, "utf-8", "replace"):
        if first is None and "\ufffd" in text:
            first = line + text.count("\n", 0, text.index("\ufffd")) + 1
        line += text.count("\n")
        wrong += text.count("\ufffd")
        right += sum(1 for c in text if c > "\x7f") - text.count("\ufffd")
    return first if right >= 2 * wrong else None


def _beyond_ascii(path: Path, encoding: str) -> str:
    found: list[str] = []
    n = 0
    for text in decoded(path, encoding):
        part = re.sub(r"[\x00-\x7f]+", "", text)
        found.append(part)
        n += len(part)
        if n >= _SAMPLE:
            break
    return "".join(found)[:_SAMPLE]


def _common(text: str) -> bool:
    """Say whether most Chinese characters are of the common half of GB2312.

    Two accented letters beside each other, as in `Größe`, read as a rare one.
    """
    leads = [c.encode("gb2312", "ignore")[:1] for c in text if "\u4e00" <= c <= "\u9fff"]
    usual = sum(b"\xb0" <= lead <= b"\xd7" for lead in leads)
    return usual >= 0.5 * len(leads)


def _western(path: Path, encoding: str) -> bool:
    """Say whether a text reads as Western European: accented letters, mostly one at a time."""
    beyond = beside = 0
    for text in decoded(path, encoding):
        if re.search(r"[\x80-\x9f]", text):
            return False
        beyond += len(re.findall(r"[^\x00-\x7f]", text))
        beside += sum(len(run) for run in re.findall(r"[^\x00-\x7f]{2,}", text))
        if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text):
            return False
    return beside <= 0.3 * beyond
