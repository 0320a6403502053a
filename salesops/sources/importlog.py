"""What was imported into a book: by it the same export is known again."""

import datetime as dt
import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from salesops.model.errors import BadSettings

FILE = "imports.toml"
_HEAD = (
    "What was imported into this book, in order. By it the same export is known again; take "
    "nothing away here."
)


class Counts(BaseModel):
    """What became of the rows of one sheet: read = kept + set aside + left out + no records.

    Totals and notes are no records; titles and heads are not counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: int
    kept: int
    set_aside: int = 0
    left_out: int = 0
    no_records: int = 0


class Imported(BaseModel):
    """One import.

    `files` are digests by name; `inputs` are those of all that decides what becomes of them
    (mapping, corrections, version), as it was given and as it was settled. `asked_at` is the date
    that was told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exported_at: dt.datetime
    asked_at: str = ""
    source: str
    verified: str = ""
    files: dict[str, str]
    inputs: tuple[str, ...]
    rows: dict[str, Counts] = Field(default_factory=dict)


def read_log(book: Path) -> list[Imported]:
    """Read what was imported into a book; nothing where it was made otherwise.

    Raises
    ------
    BadSettings
        Somebody edited the file and it is no longer one.
    """
    path = book / FILE
    if not path.exists():
        return []
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return [Imported.model_validate(part) for part in raw.get("imports", [])]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(where=str(path), faults=(str(error),)) from error
    except ValidationError as error:
        faults = tuple(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
        raise BadSettings(where=str(path), faults=faults) from error


def log_text(imports: Sequence[Imported]) -> str:
    """Write the list of imports as TOML.

    Examples
    --------
    >>> at = dt.datetime(2026, 3, 31, 16)
    >>> one = Imported(exported_at=at, source="maven", files={"deals.csv": "12ab"}, inputs=("9f",))
    >>> tomllib.loads(log_text([one]))["imports"][0]["files"]
    {'deals.csv': '12ab'}
    """
    document = tomlkit.document()
    document.add(tomlkit.comment(_HEAD))
    listed = tomlkit.aot()
    for one in imports:
        listed.append(_table(one.model_dump(exclude_defaults=True)))
    document.add("imports", listed)
    return tomlkit.dumps(document)


def _table(values: Mapping[str, Any]) -> Any:
    written = tomlkit.table()
    for key, value in values.items():
        written.add(key, _inline(value))
    return written


def _inline(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inline = tomlkit.inline_table()
    for key, inner in value.items():
        inline.append(key, _inline(inner))
    return inline


def digests(files: Sequence[Path]) -> dict[str, str]:
    """Give a digest of each file of an export, by its name."""
    found = {}
    for path in files:
        parts = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        digest = hashlib.sha256()
        for part in parts:
            with part.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        found[path.name] = digest.hexdigest()[:32]
    return found


def digest_of(*texts: str) -> str:
    """Give one digest of texts, and of the version that reads them."""
    joined = "\0".join([version("salesops"), *texts])
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]
