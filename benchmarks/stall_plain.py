"""Chances of standing still as a user would write them with scikit-learn and pandas.

It does what salesops does for the stall report: the same folds by origin, the same four ways to say
a chance with the same settings, chosen and put right by earlier origins, and the same measures with
ranges by drawing deals anew. It imports nothing of salesops.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

ROUNDS = (25, 50, 75, 100, 150, 200)
SIMPLER = ("base", "rule", "logistic")
SAMPLE, DRAWS, BANDS, EDGE = 20_000, 200, 12, 1e-4


def trees(rounds: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=rounds, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=40,
        l2_regularization=1.0, categorical_features="from_dtype", early_stopping=False,
        random_state=0,
    )  # fmt: skip


def regression(words: list[str], numbers: list[str]):
    scaled = make_pipeline(
        FunctionTransformer(lambda x: np.sign(x) * np.log1p(np.abs(x))),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    coded = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20)
    columns = ColumnTransformer([("numbers", scaled, numbers), ("words", coded, words)])
    return make_pipeline(columns, LogisticRegression(C=1.0, solver="newton-cholesky"))


def by_age(past: pd.DataFrame, test: pd.DataFrame, rule: str) -> np.ndarray:
    edges = np.unique(past[rule].quantile(np.linspace(0, 1, BANDS + 1)[1:-1]))
    share = past["happened"].groupby(np.digitize(past[rule], edges)).mean()
    return pd.Series(np.digitize(test[rule], edges)).map(share).to_numpy()


def said(past: pd.DataFrame, test: pd.DataFrame, words: list, numbers: list, rule: str):
    """Give what each way, fitted on the past, says of the rows to be judged."""
    columns = [*words, *numbers]
    found = test[["unit", "happened"]].assign(
        base=past["happened"].mean(), rule=by_age(past, test, rule)
    )
    some = past.sample(min(SAMPLE, len(past)), random_state=0)
    model = regression(words, numbers).fit(some[columns], some["happened"])
    found["logistic"] = model.predict_proba(test[columns])[:, 1]
    model = trees(ROUNDS[-1]).fit(past[columns], past["happened"])
    for n, chances in enumerate(model.staged_predict_proba(test[columns]), 1):
        if n in ROUNDS:
            found[f"boosting_{n}"] = chances[:, 1]
    ways = [*SIMPLER, *(f"boosting_{n}" for n in ROUNDS)]
    found[ways] = found[ways].clip(EDGE, 1 - EDGE)
    return found


def chosen(parts: list[pd.DataFrame]) -> tuple[str, float, float]:
    """Choose by log loss at earlier origins, and put the log-odds right there."""
    if not parts:
        return "boosting_100", 1.0, 0.0
    rows = pd.concat(parts)
    ways = [*SIMPLER, *(f"boosting_{n}" for n in ROUNDS)]
    best = min(ways, key=lambda way: log_loss(rows["happened"], rows[way]))
    return best, *line(logit(rows[best]), rows["happened"])


def line(odds: pd.Series, happened: pd.Series, weight: np.ndarray | None = None):
    fit = LogisticRegression(C=np.inf).fit(np.asarray(odds)[:, None], happened, weight)
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


def rolled(
    frame: pd.DataFrame, words: list, numbers: list, rule: str, origins: Sequence[pd.Timestamp]
) -> tuple[pd.DataFrame, HistGradientBoostingClassifier | None]:
    """Judge at past origins, the first of them only to choose by; fit what is chosen on all."""
    frame = frame.astype(dict.fromkeys(words, "category"))
    first = frame["at"].min()
    begins = [first + (origins[0] - first) * 0.6, *origins]
    parts: list[pd.DataFrame] = []
    for begin, end in zip(begins, [*origins, pd.Timestamp.max], strict=True):
        past = frame[frame["known_at"] <= begin]
        test = frame[(frame["at"] >= begin) & (frame["at"] < end)]
        part = said(past, test, words, numbers, rule)
        way, slope, level = chosen(parts)
        part["score"] = expit(slope * logit(part[way]) + level)
        parts.append(part.assign(origin=begin))
    way = chosen(parts)[0]
    model = None
    if way.startswith("boosting_"):
        model = trees(int(way.split("_")[1])).fit(frame[[*words, *numbers]], frame["happened"])
    return pd.concat(parts[1:], ignore_index=True), model


def ranged(unit: pd.Series, measured: Callable[[np.ndarray], Sequence[float]]) -> pd.DataFrame:
    """Give measures, and between which bounds 90 % of draws of whole deals lie."""
    codes, names = pd.factorize(unit)
    rng = np.random.default_rng(0)
    drawn = [measured(rng.poisson(1.0, len(names))[codes].astype(float)) for _ in range(DRAWS)]
    low, high = np.nanquantile(np.array(drawn), [0.05, 0.95], axis=0)
    return pd.DataFrame({"value": measured(np.ones(len(codes))), "low": low, "high": high})


def measures(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give how good the chances are, in all, over simpler ways, by bin and by origin."""
    y, p = rows["happened"].to_numpy(), rows["score"].to_numpy()
    odds, loss, usual = logit(p), (p - y) ** 2, (rows["base"].to_numpy() - y) ** 2
    others = {way: rows[way].to_numpy() for way in SIMPLER}

    def whole(w: np.ndarray) -> list[float]:
        auc, brier = roc_auc_score(y, p, sample_weight=w), np.average(loss, weights=w)
        gains = [auc - roc_auc_score(y, other, sample_weight=w) for other in others.values()]
        return [auc, average_precision_score(y, p, sample_weight=w), brier,
                1 - brier / np.average(usual, weights=w), *line(odds, y, w), *gains]  # fmt: skip

    names = ["auc", "pr_auc", "brier", "brier_skill", "slope", "intercept"]
    table = ranged(rows["unit"], whole).set_axis([*names, *(f"over_{way}" for way in others)])
    return {"measures": table, "bins": bins(rows), "origins": by_origin(rows)}


def bins(rows: pd.DataFrame) -> pd.DataFrame:
    """Give what was said and what happened in tenths, with bounds by deal."""
    found = []
    tenths = pd.qcut(rows["score"].rank(method="first"), 10)
    for _tenth, part in rows.groupby(tenths, observed=True):
        share = part["happened"].mean()
        rest = (part["happened"] - share).groupby(part["unit"]).sum()
        error = 1.645 * np.sqrt((rest**2).sum()) / len(part)
        found.append((part["score"].mean(), share, share - error, share + error, len(part)))
    return pd.DataFrame(found, columns=["said", "share", "low", "high", "n"])


def by_origin(rows: pd.DataFrame) -> pd.DataFrame:
    """Give AUC and calibration in the large of each origin."""
    found = []
    for origin, part in rows.groupby("origin"):
        y, p = part["happened"].to_numpy(), part["score"].to_numpy()
        own = ranged(part["unit"], lambda w, y=y, p=p: [
            roc_auc_score(y, p, sample_weight=w), np.average(y - p, weights=w)])  # fmt: skip
        found.append(own.assign(measure=["auc", "gap"], origin=origin))
    return pd.concat(found, ignore_index=True)
