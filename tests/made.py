"""Generated companies, each made once for all processes of a run of tests and all of its files.

They lie where the run lays what its kernels share, under their options and the generator's code.
"""

import dataclasses
import hashlib
import os
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path

from filelock import FileLock

import salesops.sample
from salesops.book.runlog import SHARED
from salesops.sample.generate import SampleCompany, generate
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_company, write_sample


def made_folder(options: SampleOptions) -> Path:
    """Give the folder of a company; nobody may write to it."""
    if options.preset == "small":
        return _once(options, "company", lambda place: write_sample(place, options))
    return _once(options, "company", lambda place: write_company(place, made_company(options)))


def made_book(options: SampleOptions) -> Path:
    """Give the folder of the book that the import makes of a small company's workbook."""
    from salesops.sources.importing import import_path

    export = made_folder(options)
    return _once(options, "book", lambda place: import_path(export, into=place, source="small"))


def made_company(options: SampleOptions) -> SampleCompany:
    """Give a company as it was generated, with its truth."""
    place = _once(options, "company.pkl", lambda new: new.write_bytes(_pickled(options)))
    return pickle.loads(place.read_bytes())


def _pickled(options: SampleOptions) -> bytes:
    return pickle.dumps(generate(options))


def _once(options: SampleOptions, name: str, make: Callable[[Path], object]) -> Path:
    """Give what `make` lays down, or what it laid down for another test or process."""
    place = Path(os.environ[SHARED]) / "made" / _key(options) / name
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f"new-{name}")
    with FileLock(f"{place}.lock"):
        if not place.exists():
            make(fresh)
            fresh.rename(place)
    return place


def _key(options: SampleOptions) -> str:
    told = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
    told |= {"problems": sorted(options.problems.items()), "without": sorted(options.without)}
    return hashlib.blake2b(f"{_code()}{told}".encode(), digest_size=12).hexdigest()


@cache
def _code() -> str:
    """Give the sum of the generator's files: what another one made is another company."""
    digest = hashlib.blake2b(digest_size=12)
    for path in sorted(Path(salesops.sample.__path__[0]).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
