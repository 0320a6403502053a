"""What takes long is made once for all tests, also for those of the other processes."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from salesops.book.runlog import SHARED

Told = TypeVar("Told")


def once(name: str, make: Callable[[Path], Told]) -> Told:
    """Give what `make` told of what it made in a folder, now or in another process of the tests.

    Parameters
    ----------
    name
        Of the folder, which lies where tests share what they have opened and worked out.
    make
        Gets the empty folder; what it gives can be pickled. Where it raises, the next one makes it.
    """
    place = Path(os.environ[SHARED]) / f"made-{name}"
    told = place / "told.pkl"
    with FileLock(f"{place}.lock"):
        if not told.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            told.write_bytes(pickle.dumps(make(place)))
    return pickle.loads(told.read_bytes())
