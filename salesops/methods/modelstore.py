"""Fitted models kept between runs: a safe format, a fingerprint, versions, and how good they were.

A model is fitted anew only where the rows that it learns from, its columns or the versions of what
fits it have changed. Files hold numbers alone: scikit-learn's estimators in the format of skops,
which runs nothing when it is read and refuses types that are not named here.
"""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import platformdirs

from salesops.methods import chances, rolling
from salesops.methods.chances import Model, Task, fitted
from salesops.methods.rolling import Rolled, rolled
from salesops.stopping import clear_abandoned, scratch_folder

ENVIRONMENT = "SALESOPS_MODELS"
MOST = 60
# Beyond what skops trusts itself; a file that names anything else is not read.
TRUSTED = ("functools.partial", "numpy.dtype", "sklearn.utils.validation.check_array",
           "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Kept:
    """A model with how it was judged.

    Attributes
    ----------
    model
        What says the chances.
    rolled
        What would have been said at past origins.
    card
        `fingerprint` of the rows, `versions`, `rows`, `units`, `kind`, `rounds`, `gain`.
    """

    model: Model
    rolled: Rolled
    card: dict[str, Any]


def versions() -> dict[str, str]:
    """Give the versions on which a fit depends."""
    return {name: version(name) for name in ("numpy", "scikit-learn", "skops")}


@cache
def _code() -> str:
    """Give what the code that fits and judges says: another one makes other models."""
    digest = hashlib.sha256()
    for module in (chances, rolling):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def fingerprint(frame: pd.DataFrame, columns: list[str], *also: str) -> str:
    """Give 16 hex digits that change when any of the columns' values does, or what fits them.

    Parameters
    ----------
    frame, columns
        The rows, and the columns that matter.
    also
        What else it depends on, as text.

    Examples
    --------
    >>> a = pd.DataFrame({"x": [1.0, 2.0]})
    >>> fingerprint(a, ["x"]) == fingerprint(a + 1, ["x"])
    False
    """
    digest = hashlib.sha256(json.dumps([_code(), columns, versions(), also]).encode())
    hashes = pd.util.hash_pandas_object(frame[columns], index=False).to_numpy()
    digest.update(np.ascontiguousarray(hashes).tobytes())
    return digest.hexdigest()[:16]


def folder() -> Path | None:
    """Give where models are kept; null where `SALESOPS_MODELS` is `off`."""
    told = os.environ.get(ENVIRONMENT, "")
    if told == "off":
        return None
    return Path(told) if told else platformdirs.user_cache_path("salesops") / "models"


def learned(name: str, past: pd.DataFrame, task: Task, origins: Sequence[pd.Timestamp]) -> Kept:
    """Choose a way to say chances, judge it at past origins and fit it; as kept, else anew.

    Parameters
    ----------
    name
        What it is of, such as `stall`.
    past, task, origins
        As `rolling.rolled` takes them.
    """
    columns = [*task.columns, "unit", "at", "known_at", "happened"]

    def make() -> tuple[Model, Rolled]:
        found = rolled(past, task, origins)
        return fitted(past, task, found.kind, rounds=found.rounds, slope=found.slope,
                      intercept=found.intercept), found  # fmt: skip

    return kept_model(name, past, columns, make, *(str(origin) for origin in origins))


def kept_model(
    name: str, frame: pd.DataFrame, columns: list[str], make: Callable[[], tuple[Model, Rolled]],
    *also: str,
) -> Kept:  # fmt: skip
    """Give the model of these rows: as kept, else made and kept.

    Parameters
    ----------
    name
        What it is of.
    frame, columns
        The rows that it learns from, and the columns on which it depends.
    make
        Fits and judges it.
    also
        What else it depends on, as text.
    """
    key = fingerprint(frame, columns, *also)
    place = folder()
    mine = place / f"{name}-{key}" if place else None
    found = _read(mine) if mine else None
    if found is not None:
        return found
    model, judged = make()
    card = {"fingerprint": key, "versions": versions(), "rows": len(frame),
            "units": int(frame["unit"].nunique()), "kind": model.kind, "rounds": judged.rounds,
            "gain": judged.gain}  # fmt: skip
    kept = Kept(model=model, rolled=judged, card=card)
    if mine:
        _write(kept, mine)
    return kept


def _write(kept: Kept, place: Path) -> None:
    """Put a model into its folder in one step; where another run was faster, that one stays."""
    import skops.io

    place.parent.mkdir(parents=True, exist_ok=True)
    clear_abandoned(place.parent, ".new-")
    with scratch_folder(place.parent, ".new-") as fresh:
        model, told = kept.model, kept.rolled
        if model.estimator is not None:
            (fresh / "estimator.skops").write_bytes(skops.io.dumps(model.estimator))
        plain = {
            "card": kept.card, "kind": model.kind, "task": asdict(model.task), "base": model.base,
            "edges": model.edges.tolist(), "shares": model.shares.tolist(), "slope": model.slope,
            "intercept": model.intercept, "levels": model.levels,
            "rolled": {"kind": told.kind, "rounds": told.rounds, "slope": told.slope,
                       "intercept": told.intercept, "gain": told.gain,
                       "gain_low": told.gain_low},
        }  # fmt: skip
        (fresh / "model.json").write_text(json.dumps(plain), encoding="utf-8")
        told.rows.to_parquet(fresh / "judged.parquet")
        try:
            fresh.rename(place)
        except OSError:
            if not place.exists():
                raise
        _prune(place.parent)


def _read(place: Path) -> Kept | None:
    """Read a model back; null where there is none, or it is not as it was written."""
    import skops.io

    try:
        plain = json.loads((place / "model.json").read_text(encoding="utf-8"))
        rows = pd.read_parquet(place / "judged.parquet")
        estimator = None
        file = place / "estimator.skops"
        if file.exists():
            data = file.read_bytes()
            if set(skops.io.get_untrusted_types(data=data)) - set(TRUSTED):
                return None
            estimator = skops.io.loads(data, trusted=list(TRUSTED))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        # What is half there or was tampered with is as good as nothing, and makes room.
        shutil.rmtree(place, ignore_errors=True)
        return None
    told = plain["task"]
    task = Task(numbers=tuple(told["numbers"]), words=tuple(told["words"]), rule=told["rule"])
    model = Model(
        kind=plain["kind"], task=task, base=plain["base"], edges=np.array(plain["edges"]),
        shares=np.array(plain["shares"]), estimator=estimator, slope=plain["slope"],
        intercept=plain["intercept"], levels=plain["levels"],
    )  # fmt: skip
    os.utime(place)
    return Kept(model=model, rolled=Rolled(rows=rows, **plain["rolled"]), card=plain["card"])


def _prune(place: Path) -> None:
    """Keep the models that were used last."""
    every = [p for p in place.iterdir() if p.is_dir() and not p.name.startswith(".")]
    for old in sorted(every, key=lambda p: p.stat().st_mtime, reverse=True)[MOST:]:
        shutil.rmtree(old, ignore_errors=True)
