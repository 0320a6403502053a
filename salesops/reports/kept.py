"""Finished reports by key: found again by the next run, whoever made them.

A report is kept as a folder that appears whole by one rename. What stands in it is held against
its sums before it is used, since a run's files are links to the same bytes.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from salesops.stopping import scratch_folder

FOLDER = ".kept"
_DONE = "done.json"


class Kept:
    """The finished reports of an output folder.

    Parameters
    ----------
    root
        The output folder.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER

    def find(self, key: str) -> dict[str, Any] | None:
        """Give what was told of a finished report; null where there is none, or not all of it."""
        place = self.folder / key
        try:
            told: dict[str, Any] = json.loads((place / _DONE).read_text(encoding="utf-8"))
            files: dict[str, str] = told["sums"]
            whole = all(_sum(place / name) == sum_ for name, sum_ in files.items())
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return told if whole else None

    def put(self, key: str, files: Mapping[str, bytes | Path], told: Mapping[str, Any]) -> None:
        """Keep a finished report: its files by name, from bytes or moved from a path."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with scratch_folder(self.folder, ".new-") as scratch:
            work = scratch / key
            work.mkdir()
            for name, content in files.items():
                if isinstance(content, Path):
                    shutil.move(content, work / name)
                else:
                    (work / name).write_bytes(content)
            sums = {name: _sum(work / name) for name in files}
            text = json.dumps({**told, "sums": sums}, ensure_ascii=False)
            (work / _DONE).write_text(text, encoding="utf-8")
            self._place(work, self.folder / key)

    def _place(self, work: Path, target: Path) -> None:
        """Put a folder in its place; where another run was quicker with a whole one, that stays."""
        try:
            work.rename(target)
        except OSError:
            if self.find(target.name) is not None:
                return
            broken = work.with_name("broken")
            target.rename(broken)
            work.rename(target)

    def link(self, key: str, folder: Path) -> None:
        """Lay the files of a finished report into a run's folder."""
        for path in (self.folder / key).iterdir():
            if path.name != _DONE:
                link(path, folder / path.name)


def link(source: str | Path, target: str | Path) -> None:
    """Make a second name of a file, or a copy where the disk knows no such names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
