"""What a pull left behind beside its files: up to where it knows each object."""

import datetime as dt
import tomllib
from pathlib import Path

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from salesops.model.errors import BadSettings

FILE = "pull.toml"
_HEAD = "Up to where this export knows each object; the next pull begins here. Don't edit it."


class PulledFile(BaseModel):
    """One file of an export: up to when it is known, what was asked for, and what there was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    since: str = ""
    heads: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    rows: int = 0


class Pulled(BaseModel):
    """One pull: of which account, when, and when everything was asked for last; times are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str
    account: str
    at: dt.datetime
    whole_at: dt.datetime
    objects: tuple[str, ...] = ()
    files: dict[str, PulledFile] = Field(default_factory=dict)


def last_export(folder: Path) -> tuple[Path, Pulled] | None:
    """Find the last export that was pulled whole into a folder.

    Raises
    ------
    BadSettings
        Somebody edited its record.
    """
    found = [
        path.parent for path in folder.glob(f"*/{FILE}") if not path.parent.name.startswith(".")
    ]
    read = [(path, _read(path / FILE)) for path in found]
    return max(read, key=lambda one: (one[1].at, one[0].name), default=None)


def record_text(pulled: Pulled) -> str:
    """Write the record as TOML.

    Examples
    --------
    >>> at = dt.datetime(2026, 3, 31, 16)
    >>> one = Pulled(system="zoho", account="example.com", at=at, whole_at=at)
    >>> tomllib.loads(record_text(one))["account"]
    'example.com'
    """
    document = tomlkit.document()
    document.add(tomlkit.comment(_HEAD))
    for key, value in pulled.model_dump(mode="json").items():
        document.add(key, value)
    return tomlkit.dumps(document)


def _read(path: Path) -> Pulled:
    try:
        return Pulled.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise BadSettings(where=str(path), faults=(str(error).splitlines()[0],)) from error
