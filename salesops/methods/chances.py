"""How likely is something for each of many units, learnt from what became of earlier ones?

Rows are states of units at dates, weeks of open deals for example, and what happened within a
horizon. Four ways to say the chance compete: the base rate, a rule by one column, a logistic model
and boosted trees. Each is fitted on what was known at an origin and judged on what came after it,
again and again; later origins may use what earlier ones taught, never the other way round.
"""

from collections.abc import Sequence
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
# Losses a row, in nats, that differ by less are as good.
AS_GOOD = 0.003
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
        Of each column of words the values seen, for boosting.
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
            found = self.estimator.predict_proba(_coded(frame, self.task, self.levels))[:, 1]
        else:
            found = self.estimator.predict_proba(_plain(frame, self.task))[:, 1]
        return self._right(np.asarray(found, dtype=float))

    def _right(self, found: Floats) -> Floats:
        odds = logit(found) * self.slope + self.intercept
        return np.asarray(expit(odds), dtype=float).clip(EDGE, 1 - EDGE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rolled:
    """What would have been said at past origins, and what happened.

    Attributes
    ----------
    rows
        One row per row that was judged: its position in the frame (`row`), `origin`, `happened`,
        and the chance by each kind that was tried; `score` is that of the kind which earlier
        origins would have chosen.
    kind
        What is chosen now.
    rounds
        Boosting rounds chosen now.
    slope, intercept
        How the chosen kind's log-odds are put right now.
    gain, gain_low
        Mean gain in log-likelihood a row of the chosen kind over the base rate, and the lower end
        of its 90 % interval by units. Where the latter is not above 0, `kind` is `base`.
    """

    rows: pd.DataFrame
    kind: Kind
    rounds: int
    slope: float
    intercept: float
    gain: float
    gain_low: float


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
        trees.fit(_coded(frame, task, levels), y)
        return Model(kind=kind, task=task, base=base, estimator=trees, levels=levels,
                     slope=slope, intercept=intercept)  # fmt: skip
    if kind == "logistic":
        return Model(kind=kind, task=task, base=base, estimator=_logistic(frame, task, y),
                     slope=slope, intercept=intercept)  # fmt: skip
    return Model(kind=kind, task=task, base=base)


def rolled(frame: pd.DataFrame, task: Task, origins: Sequence[pd.Timestamp]) -> Rolled:
    """Judge every kind at past origins on what came after, and choose one for now.

    Parameters
    ----------
    frame
        The columns of the task, `unit`, `at`, `known_at` (when it was known what happened) and
        `happened`.
    task
        Which columns are what.
    origins
        Ascending. At each all is fitted on rows with `known_at` up to it, and judged on rows with
        `at` from it up to the next.

    Notes
    -----
    Rolling origin: Tashman (2000), International Journal of Forecasting 16(4). The gap between
    `at` and `known_at` is the embargo: a row whose end was not known yet teaches nothing.
    """
    parts: list[pd.DataFrame] = []
    warm = _warm_up(frame, origins)
    begins = [*warm, *origins]
    ends = [*begins[1:], pd.Timestamp.max][: len(begins)]
    for origin, end in zip(begins, ends, strict=True):
        past = frame[(frame["known_at"] <= origin).to_numpy()]
        test = frame[((frame["at"] >= origin) & (frame["at"] < end)).to_numpy()]
        if past.empty or test.empty:
            continue
        part = _judged_at(past, test, task)
        chosen = _choice(parts, able(past))
        part["score"] = _said(part, *chosen)
        parts.append(part.assign(origin=pd.Series(origin, index=part.index).dt.as_unit("us")))
    parts_told = [part for part in parts if part["origin"].iloc[0] not in warm]
    if not parts_told:
        kind: Kind = "base"
        rows = pd.DataFrame(columns=["row", "origin", "happened", "score", "unit", "base"])
        return Rolled(rows=rows, kind=kind, rounds=USUAL, slope=1.0, intercept=0.0,
                      gain=float("nan"), gain_low=float("nan"))  # fmt: skip
    kind, rounds, slope, intercept = _choice(parts, able(frame))
    rows = pd.concat(parts_told, ignore_index=True)
    gain, low = _gain(rows, _said(rows, kind, rounds, slope, intercept))
    if not low > 0:
        kind, slope, intercept = "base", 1.0, 0.0
    steps = [c for c in rows if str(c).startswith("boosting_")]
    if steps:
        rows["boosting"] = rows[f"boosting_{rounds}"]
    return Rolled(rows=rows.drop(columns=steps), kind=kind, rounds=rounds, slope=slope,
                  intercept=intercept, gain=gain, gain_low=low)  # fmt: skip


def _warm_up(frame: pd.DataFrame, origins: Sequence[pd.Timestamp]) -> list[pd.Timestamp]:
    """Give an instant before the first origin at which kinds are compared, to choose at it."""
    if not len(origins) or frame.empty:
        return []
    middle = frame["at"].min() + (origins[0] - frame["at"].min()) * 0.6
    return [middle] if middle < origins[0] else []


def _judged_at(past: pd.DataFrame, test: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Give what each kind, fitted on the past, says of the rows to be judged."""
    found = pd.DataFrame({
        "row": test.index.to_numpy(), "unit": test["unit"].to_numpy(),
        "happened": test["happened"].to_numpy(bool),
    })  # fmt: skip
    kinds = able(past)
    for kind in kinds:
        if kind == "boosting":
            model = fitted(past, task, kind, rounds=ROUNDS[-1])
            coded = _coded(test, task, model.levels)
            for n, said in enumerate(model.estimator.staged_predict_proba(coded), 1):
                if n in ROUNDS:
                    found[f"boosting_{n}"] = said[:, 1].clip(EDGE, 1 - EDGE)
        else:
            found[kind] = fitted(past, task, kind).chance(test)
    return found


def _choice(parts: list[pd.DataFrame], kinds: Sequence[Kind]) -> tuple[Kind, int, float, float]:
    """Choose kind, rounds and correction by what earlier origins showed; the usual without any."""
    usual: Kind = kinds[-1]
    if not parts:
        return usual, USUAL, 1.0, 0.0
    rows = pd.concat(parts, ignore_index=True)
    y = rows["happened"].to_numpy(bool)
    losses: dict[tuple[Kind, int], float] = {}
    for kind in kinds:
        for n in ROUNDS if kind == "boosting" else (USUAL,):
            column = f"boosting_{n}" if kind == "boosting" else kind
            known = rows[column].notna().to_numpy() if column in rows else np.zeros(len(rows), bool)
            if known.all():
                losses[kind, n] = float(_loss(rows[column].to_numpy(float), y).mean())
    if not losses:
        return usual, USUAL, 1.0, 0.0
    best, _rounds = min(losses, key=lambda k: losses[k])
    least = min(losses.values())
    # Fewer rounds than needed say too little, more too much: of those as good as the best the one
    # that says it most nearly right.
    found = []
    for (kind, n), loss in losses.items():
        if kind == best and loss <= least + AS_GOOD:
            column = f"boosting_{n}" if kind == "boosting" else kind
            slope, intercept = _correction(rows[column].to_numpy(float), rows)
            found.append((abs(slope - 1), n, slope, intercept))
    _off, n, slope, intercept = min(found)
    return best, n, slope, intercept


def _said(
    rows: pd.DataFrame, kind: Kind, rounds: int, slope: float, intercept: float
) -> Floats:  # fmt: skip
    column = f"boosting_{rounds}" if kind == "boosting" else kind
    odds = logit(rows[column].to_numpy(float)) * slope + intercept
    return np.asarray(expit(odds), dtype=float).clip(EDGE, 1 - EDGE)


# So many units outweigh the belief that a model needs no correction.
UNITS_OF_BELIEF = 400.0
# Further than this no correction goes.
SLOPES = (0.5, 2.0)


def _correction(said: Floats, rows: pd.DataFrame) -> tuple[float, float]:
    """Give slope and intercept of what happened on the log-odds, held to 1 and 0."""
    y = rows["happened"].to_numpy(bool)
    odds = logit(said)
    found, _level = recalibrated(odds, y, np.ones(len(y)))
    if np.isnan(found):
        return 1.0, 0.0
    n = rows["unit"].nunique()
    weight = n / (n + UNITS_OF_BELIEF)
    slope = float(np.clip(1 + weight * (found - 1), *SLOPES))
    # The mean is set right for the slope that is used.
    shift = float(logit(y.mean()) - logit((expit(slope * odds)).mean()))
    return slope, weight * shift


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
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(a + b * odds, -30, 30)))
        v, rest = w * p * (1 - p), w * (y - p)
        g = np.array([rest.sum(), (rest * odds).sum()])
        h = np.array([[v.sum(), (v * odds).sum()], [(v * odds).sum(), (v * odds**2).sum()]])
        if abs(np.linalg.det(h)) < 1e-12:
            break
        step = np.linalg.solve(h, g)
        # Over 0.6 of log-odds weights change by less than double, and each step leads upwards.
        step = step * min(1.0, 0.6 / max(abs(step[0]) + abs(step[1]) * widest, 1e-12))
        a, b = a + float(step[0]), b + float(step[1])
        if np.abs(step).max() < 1e-8:
            return b, a
    return float("nan"), float("nan")


def _loss(said: Floats, y: "npt.NDArray[np.bool_]") -> Floats:
    inside = said.clip(EDGE, 1 - EDGE)
    return np.asarray(-np.where(y, np.log(inside), np.log1p(-inside)), dtype=float)


def _gain(rows: pd.DataFrame, said: Floats) -> tuple[float, float]:
    """Give the gain over the base rate a row, and its lower end by units."""
    y = rows["happened"].to_numpy(bool)
    each = _loss(rows["base"].to_numpy(float), y) - _loss(said, y)
    by_unit = pd.Series(each).groupby(rows["unit"].to_numpy()).agg(["sum", "size"])
    mean = float(each.mean())
    n = len(by_unit)
    if n < 2:
        return mean, float("nan")
    rest = by_unit["sum"] - mean * by_unit["size"]
    error = float(np.sqrt((rest**2).sum() * n / (n - 1))) / len(each)
    return mean, mean - 1.645 * error


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


def _trees(task: Task, rounds: int) -> "HistGradientBoostingClassifier":
    from sklearn.ensemble import HistGradientBoostingClassifier

    words = list(range(len(task.words)))
    return HistGradientBoostingClassifier(
        max_iter=rounds, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=40,
        l2_regularization=1.0, categorical_features=words or None, early_stopping=False,
        random_state=0,
    )  # fmt: skip


def _coded(frame: pd.DataFrame, task: Task, levels: dict[str, list[str]]) -> Floats:
    """Give the columns as numbers; a word that was not seen is not known."""
    found = np.empty((len(frame), len(task.columns)), dtype=np.float64)
    for k, column in enumerate(task.columns):
        if column in levels:
            codes = pd.Index(levels[column]).get_indexer(frame[column].astype(str))
            found[:, k] = np.where(codes < 0, np.nan, codes)
        else:
            found[:, k] = frame[column].to_numpy(float)
    return found


def _plain(frame: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Give words as text, and numbers on a scale on which double is double."""
    numbers = {c: frame[c].astype(float) for c in task.numbers}
    scaled = {c: np.sign(v) * np.log1p(v.abs()) for c, v in numbers.items()}
    return pd.DataFrame({**{c: frame[c].astype(str) for c in task.words}, **scaled})


def _logistic(frame: pd.DataFrame, task: Task, y: "npt.NDArray[np.bool_]") -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    if len(frame) > MOST_ROWS:
        keep = np.random.default_rng(0).choice(len(frame), MOST_ROWS, replace=False)
        frame, y = frame.iloc[keep], y[keep]
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    words = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20)
    parts = [("numbers", numbers, list(task.numbers)), ("words", words, list(task.words))]
    columns = ColumnTransformer([p for p in parts if p[2]])
    return make_pipeline(columns, LogisticRegression(C=1.0, solver="newton-cholesky")).fit(
        _plain(frame, task), y
    )
