"""What a book shows at the date that is asked for, known without opening a book seen before.

Opening a book takes the packages of the analyses, some seconds. Whoever runs a hundred reports of
which none changed waits for nothing else, so what was found of the same files is kept beside the
finished reports.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from salesops.reports.keys import Stand, code
from salesops.stopping import scratch_folder

_MOST = 200


def files_of(book: str) -> str | None:
    """Give the fingerprint of a book's files; null for a database that is reached by URL.

    Records of runs are left out: they are about the book, not of it.
    """
    if "://" in book:
        return None
    place, listed = Path(book), _listed(book)
    if not listed:
        return None
    digest = hashlib.blake2b(code().encode(), digest_size=12)
    for path in listed:
        with path.open("rb") as file:
            digest.update(f"{path.relative_to(place)}\\0".encode())
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()


def touched(book: str) -> list[tuple[str, int, int]]:
    """Tell the files of a book with size and time, to see whether somebody wrote meanwhile."""
    if "://" in book:
        return []
    found = [(path, path.stat()) for path in _listed(book)]
    return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in found]


def _listed(book: str) -> list[Path]:
    place = Path(book)
    if place.is_file():
        return [place]
    return [
        path for path in sorted(place.rglob("*"))
        if path.is_file() and path.relative_to(place).parts[0] != "runs"
        and not any(part.startswith(".") for part in path.relative_to(place).parts)
    ]  # fmt: skip


class Stands:
    """The stands of books that were opened before, in one small file.

    Parameters
    ----------
    folder
        Of the finished reports.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stands.json"

    def find(self, asked: str) -> Stand | None:
        """Give the stand that was found of the same files and question, where there was one."""
        try:
            return Stand(**self._all()[asked])
        except (KeyError, TypeError):
            return None

    def put(self, asked: str, stand: Stand) -> None:
        """Note a stand; the oldest are forgotten."""
        known = {**self._all(), asked: asdict(stand)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(self.path.parent, ".stands-") as scratch:
            fresh = scratch / self.path.name
            fresh.write_text(json.dumps(dict(list(known.items())[-_MOST:])), encoding="utf-8")
            os.replace(fresh, self.path)

    def _all(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def asked(files: str, given: Mapping[str, object], scopes: Sequence[str]) -> str:
    """Name a question to a book: its files, date, period and scopes."""
    text = json.dumps([files, given["as_of"], given["period"], sorted(scopes)])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
