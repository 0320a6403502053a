"""How likely is something for each of many units, learnt from what became of earlier ones?

Rows are states of units at dates, weeks of open deals for example, and what happened within a
horizon. Four ways to say the chance compete: the base rate, a rule by one column, a logistic model
and boosted trees. Each is fitted on what was known at an origin and judged on what came after it,
again and again; later origins may use what earlier ones taught, never the other way round.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

Floats = npt.NDArray[np.float64]
Kind = Literal["base", "rule", "logistic", "boosting"]
KINDS: tuple[Kind, ...] = ("base", "rule", "logistic", "boosting")
# Of the rarer outcome so many units are needed before a model is tried, and before trees are.
LEAST, TREES = 60, 300
# Boosting rounds that are compared, and what is used before there is anything to compare.
ROUNDS, USUAL = (25, 50, 75, 100, 150, 200), 100
# A logistic model gains nothing from more rows than these.
MOST_ROWS = 20_000
# From so many on trees may use every core.
MANY_ROWS = 300_000
BANDS = 12
EDGE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is known of a row.

    Attributes
    ----------
    numbers
        Columns of numbers; null where not known.
    words
        Columns of text; few values each.
    rule
        The column of numbers whose bands are the rule.
    """

    numbers: tuple[str, ...]
    words: tuple[str, ...]
    rule: str

    @property
    def columns(self) -> list[str]:
        """All columns, words first."""
        return [*self.words, *self.numbers]


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A fitted way to say a chance.

    Attributes
    ----------
    kind
        Which of the four.
    task
        Its columns.
    base
        The share of rows in which it happened.
    edges, shares
        Bands of the rule's column, and the share in each; empty for other kinds.
    estimator
        Of scikit-learn, for logistic and boosting.
    slope, intercept
        How its log-odds are put right by earlier origins.
    levels
        Of each column of words the values seen, for logistic and boosting.
    """

    kind: Kind
    task: Task
    base: float
    edges: Floats = field(default_factory=lambda: np.empty(0))
    shares: Floats = field(default_factory=lambda: np.empty(0))
    estimator: Any = None
    slope: float = 1.0
    intercept: float = 0.0
    levels: dict[str, list[str]] = field(default_factory=dict)

    def chance(self, frame: pd.DataFrame) -> Floats:
        """Give the chance of each row, within 0.0001 and 0.9999."""
        if self.kind == "base" or not len(frame):
            return np.full(len(frame), self.base).clip(EDGE, 1 - EDGE)
        if self.kind == "rule":
            found = self.shares[_band(frame[self.task.rule], self.edges)]
        elif self.kind == "boosting":
            with threads_for(len(frame)):
                numbers = coded(frame, self.task, self.levels)
                found = self.estimator.predict_proba(numbers)[:, 1]
        else:
            found = self.estimator.predict_proba(_plain(frame, self.task, self.levels))[:, 1]
        return self._right(np.asarray(found, dtype=float))

    def _right(self, found: Floats) -> Floats:
        odds = logit(found) * self.slope + self.intercept
        return np.asarray(expit(odds), dtype=float).clip(EDGE, 1 - EDGE)


def logit(chance: npt.ArrayLike) -> Floats:
    """Give log-odds; chances of 0 and 1 are moved inside by a ten-thousandth."""
    inside = np.clip(np.asarray(chance, dtype=float), EDGE, 1 - EDGE)
    return np.asarray(np.log(inside / (1 - inside)), dtype=float)


def able(frame: pd.DataFrame) -> tuple[Kind, ...]:
    """Say which kinds a frame of `unit` and `happened` is enough for.

    Examples
    --------
    >>> able(pd.DataFrame({"unit": ["a", "b"], "happened": [True, False]}))
    ('base',)
    """
    units = frame.groupby("happened")["unit"].nunique()
    rarer = int(min(units.get(True, 0), units.get(False, 0)))
    if rarer < LEAST:
        return ("base",)
    return KINDS[:3] if rarer < TREES else KINDS


def fitted(
    frame: pd.DataFrame, task: Task, kind: Kind, *, rounds: int = USUAL, slope: float = 1.0,
    intercept: float = 0.0,
) -> Model:  # fmt: skip
    """Fit one kind.

    Parameters
    ----------
    frame
        The columns of the task and `happened`.
    task
        Which columns are what.
    kind, rounds, slope, intercept
        As `rolled` chose them.

    Notes
    -----
    Boosted trees: Friedman (2001), Annals of Statistics 29(5), as histograms with words as
    categories. The logistic model is held by a ridge, so that a team or source with few rows is
    drawn to what is common to all.
    """
    y = frame["happened"].to_numpy(bool)
    base = float(y.mean()) if len(y) else float("nan")
    if kind == "rule":
        edges, shares = _rule(frame[task.rule], y)
        return Model(kind=kind, task=task, base=base, edges=edges, shares=shares, slope=slope,
                     intercept=intercept)  # fmt: skip
    if kind == "boosting":
        levels = {c: sorted(frame[c].astype(str).unique())[:250] for c in task.words}
        trees = _trees(task, rounds)
        with threads_for(len(frame)):
            trees.fit(coded(frame, task, levels), y)
        return Model(kind=kind, task=task, base=base, estimator=trees, levels=levels,
                     slope=slope, intercept=intercept)  # fmt: skip
    if kind == "logistic":
        if len(frame) > MOST_ROWS:
            keep = np.random.default_rng(0).choice(len(frame), MOST_ROWS, replace=False)
            frame, y = frame.iloc[keep], y[keep]
        levels = {c: sorted(frame[c].astype(str).unique()) for c in task.words}
        return Model(kind=kind, task=task, base=base, levels=levels, slope=slope,
                     intercept=intercept, estimator=_logistic(frame, task, y, levels))  # fmt: skip
    return Model(kind=kind, task=task, base=base)


def recalibrated(
    odds: Floats, y: "npt.NDArray[np.bool_]", w: Floats, start: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Give slope and intercept of a logistic fit on the log-odds (Cox 1958), by Newton's steps.

    `start` is the intercept and slope to begin from. Null where the steps come to no end.
    """
    hits = float((w * y).sum())
    if hits <= 0 or hits >= float(w.sum()) or np.ptp(odds) == 0:
        return float("nan"), float("nan")
    a, b = start
    widest = float(np.abs(odds).max())
    # In place, and sums as products of vectors: ranges take these steps hundreds of times.
    for _ in range(60):
        p = np.clip(odds * -b - a, -30, 30)
        np.exp(p, out=p)
        p += 1
        np.reciprocal(p, out=p)
        v = 1 - p
        v *= p
        v *= w
        rest = np.subtract(y, p, out=p)
        rest *= w
        g = np.array([rest.sum(), rest @ odds])
        level = v.sum()
        v *= odds
        h = np.array([[level, v.sum()], [v.sum(), v @ odds]])
        if abs(np.linalg.det(h)) < 1e-12:
            break
        step = np.linalg.solve(h, g)
        # Over 0.6 of log-odds weights change by less than double, and each step leads upwards.
        step = step * min(1.0, 0.6 / max(abs(step[0]) + abs(step[1]) * widest, 1e-12))
        a, b = a + float(step[0]), b + float(step[1])
        if np.abs(step).max() < 1e-8:
            return b, a
    return float("nan"), float("nan")


def _rule(column: "pd.Series[float]", y: "npt.NDArray[np.bool_]") -> tuple[Floats, Floats]:
    """Give bands of equal counts and the share in each, drawn to that of all where few."""
    values = column.to_numpy(float)
    known = values[~np.isnan(values)]
    inner = np.quantile(known, np.linspace(0, 1, BANDS + 1)[1:-1]) if len(known) else np.empty(0)
    edges = np.unique(inner)
    band = _band(column, edges)
    n = np.bincount(band, minlength=len(edges) + 2)
    hits = np.bincount(band, weights=y, minlength=len(edges) + 2)
    return edges, np.asarray((hits + 10 * y.mean()) / (n + 10), dtype=float)


def _band(column: "pd.Series[float]", edges: Floats) -> "npt.NDArray[np.int64]":
    """Number the bands; what is not known has one of its own, the last."""
    values = column.to_numpy(float)
    found = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), len(edges) + 1, found).astype(np.int64)


@contextmanager
def threads_for(rows: int) -> Iterator[None]:
    """Keep trees to one thread where rows are few.

    Threads of trees wait for each other by spinning: beside any other work on the same cores a
    fit of a second takes minutes.
    """
    from threadpoolctl import threadpool_limits

    if rows >= MANY_ROWS:
        yield
        return
    with threadpool_limits(limits=1, user_api="openmp"):
        yield


def _trees(task: Task, rounds: int) -> "HistGradientBoostingClassifier":
    from sklearn.ensemble import HistGradientBoostingClassifier

    words = list(range(len(task.words)))
    return HistGradientBoostingClassifier(
        max_iter=rounds, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=40,
        l2_regularization=1.0, categorical_features=words or None, early_stopping=False,
        random_state=0,
    )  # fmt: skip


def coded(frame: pd.DataFrame, task: Task, levels: dict[str, list[str]]) -> Floats:
    """Give the columns as numbers; a word that was not seen is not known."""
    found = np.empty((len(frame), len(task.columns)), dtype=np.float64)
    for k, column in enumerate(task.columns):
        if column in levels:
            codes = pd.Index(levels[column]).get_indexer(frame[column].astype(str))
            found[:, k] = np.where(codes < 0, np.nan, codes)
        else:
            found[:, k] = frame[column].to_numpy(float)
    return found


def _plain(frame: pd.DataFrame, task: Task, levels: dict[str, list[str]]) -> pd.DataFrame:
    """Give words as numbers of their levels, and numbers on a scale on which double is double.

    Of text, scikit-learn would look at each value in a loop.
    """
    words = {c: pd.Index(levels[c]).get_indexer(frame[c].astype(str)) for c in task.words}
    numbers = {c: frame[c].astype(float) for c in task.numbers}
    scaled = {c: np.sign(v) * np.log1p(v.abs()) for c, v in numbers.items()}
    return pd.DataFrame({**words, **scaled}, index=frame.index)


def _logistic(
    frame: pd.DataFrame, task: Task, y: "npt.NDArray[np.bool_]", levels: dict[str, list[str]]
) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    words = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20)
    parts = [("numbers", numbers, list(task.numbers)), ("words", words, list(task.words))]
    columns = ColumnTransformer([p for p in parts if p[2]])
    return make_pipeline(columns, LogisticRegression(C=1.0, solver="newton-cholesky")).fit(
        _plain(frame, task, levels), y
    )
