"""Which records are the same company: Fellegi and Sunter's weights, by Splink on DuckDB."""

import logging
from typing import Any

import pandas as pd

from salesops.methods.companynames import company_name, domain, phone, tax_id

COLUMNS = ["id", "other", "chance", "reason"]
# Chance that two records are one company before anything is compared: 3 of 100 records of a list of
# 5,000 entered twice. It stays so for longer lists, in which the others' coincidences per record
# grow as duplicates do.
PRIOR = 1.2e-5
# Level of agreement: its condition, its chance among the same company and among others. Chances are
# stated, not learnt: a list of customers holds too few pairs to learn them from. Within a place a
# registered name is one company's alone; an id is, but for mistakes; a phone may be a building's.
_NAME = (
    ("core_l = core_r and place_l <> '' and place_l = place_r", 0.55, 1e-8),
    ("core_l = core_r and (place_l = '' or place_r = '') and places_l <= 1", 0.25, 2e-8),
    ("core_l = core_r and (place_l = '' or place_r = '')", 0.08, 1e-3),
    ("core_l = core_r", 0.02, 1e-4),
    ("jaro_winkler_similarity(core_l, core_r) >= 0.9", 0.05, 1e-3),
)
_ELSE_NAME = (0.05, 0.998)
_IDS = {"tax": (0.996, 1e-8, 0.004), "phone": (0.5, 1e-6, 0.5), "domain": (0.6, 1e-5, 0.4)}
REASONS = {"tax": "tax_id", "phone": "phone", "domain": "domain"}


def normalised(records: pd.DataFrame) -> pd.DataFrame:
    """Write what identifies companies in one form.

    Parameters
    ----------
    records
        `id`, `name` and, where known, `tax_id`, `phone`, `domain`, `email`.

    Returns
    -------
    pandas.DataFrame
        One row per record: `id`, `core`, `place`, `places` (places known of its core, 0 for none),
        `tax`, `phone`, `domain` (null where not known).

    Examples
    --------
    >>> row = normalised(pd.DataFrame({"id": ["a"], "name": ["ＡＣＭＥ Ltd."], "phone": ["无"]}))
    >>> row[["core", "places"]].to_dict("records"), list(row["phone"])
    ([{'core': 'acme', 'places': 0}], [None])
    """
    parts = [company_name(str(name or "")) for name in records["name"].fillna("")]
    found = pd.DataFrame({
        "id": records["id"].astype(str).to_numpy(),
        "core": [part.core for part in parts], "place": [part.place for part in parts],
    })  # fmt: skip
    known = found[found["place"] != ""].groupby("core")["place"].nunique()
    found["places"] = found["core"].map(known).fillna(0).astype("int64")
    mail = _written(records, "email", domain)
    web = _written(records, "domain", domain)
    found["tax"] = _written(records, "tax_id", tax_id)
    found["phone"] = _written(records, "phone", phone)
    found["domain"] = web.where(web.notna(), mail)
    return found


def _written(records: pd.DataFrame, column: str, form: Any) -> "pd.Series[str]":
    if column not in records.columns:
        return pd.Series([None] * len(records), dtype=object)
    texts = records[column].fillna("").astype(str)
    return pd.Series([form(text) or None for text in texts], dtype=object)


def same_companies(records: pd.DataFrame, *, least: float = 0.9) -> pd.DataFrame:
    """Which pairs of records are the same company?

    Parameters
    ----------
    records
        As `normalised` takes them.
    least
        Pairs with a smaller chance are left out.

    Returns
    -------
    pandas.DataFrame
        One row per pair, likeliest first: `id`, `other` (in order), `chance` (0 to 1), `reason`:
        what agrees, joined by `+`: `tax_id`, `phone`, `domain`, `name`.

    Notes
    -----
    Fellegi & Sunter (1969), Journal of the American Statistical Association 64, 1183-1210. Only
    pairs that share an id, a phone, a domain or the core of the name are compared.

    Examples
    --------
    >>> names = ["南京锦益汽车零部件有限公司", "锦益汽车零部件（南京）有限公司", "南京锦益食品厂"]
    >>> same_companies(pd.DataFrame({"id": ["a", "b", "c"], "name": names}))["other"].tolist()
    ['b']
    """
    rows = normalised(records)
    rows = rows[rows["core"] != ""]
    if len(rows) < 2:
        return pd.DataFrame(columns=COLUMNS)
    found = _predicted(rows, least)
    if found.empty:
        return pd.DataFrame(columns=COLUMNS)
    by_id = rows.set_index("id")
    one, other = (by_id.loc[found[side]].reset_index(drop=True) for side in ("id_l", "id_r"))
    agree = {name: (one[c] == other[c]) & one[c].notna() for c, name in REASONS.items()}
    agree["name"] = one["core"] == other["core"]
    reasons = ["+".join(name for name in agree if agree[name][i]) or "name"
               for i in range(len(found))]  # fmt: skip
    pairs = pd.DataFrame({"id": found["id_l"], "other": found["id_r"],
                          "chance": found["match_probability"].astype("float64"),
                          "reason": reasons})  # fmt: skip
    return pairs.sort_values(["chance", "id", "other"], ascending=[False, True, True],
                             ignore_index=True)  # fmt: skip


def _predicted(rows: pd.DataFrame, least: float) -> pd.DataFrame:
    from splink import DuckDBAPI, Linker, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    settings: dict[str, Any] = {
        "link_type": "dedupe_only", "unique_id_column_name": "id",
        "probability_two_random_records_match": PRIOR, "retain_matching_columns": False,
        "comparisons": [_of_name(), *(_of_id(name, *chances) for name, chances in _IDS.items())],
        "blocking_rules_to_generate_predictions": [
            block_on(column) for column in ("core", "tax", "phone", "domain")
        ],
    }  # fmt: skip
    db = DuckDBAPI()
    linker = Linker(db.register(rows), settings, log_level=None)
    predicted: Any = linker.inference.predict(threshold_match_probability=least)
    frame = predicted.as_pandas_dataframe()
    return frame[["id_l", "id_r", "match_probability"]].reset_index(drop=True)


def _of_name() -> dict[str, Any]:
    levels = [{"sql_condition": "core_l is null or core_r is null", "label_for_charts": "none",
               "is_null_level": True}]  # fmt: skip
    levels += [{"sql_condition": sql, "label_for_charts": sql, "m_probability": same,
                "u_probability": others} for sql, same, others in _NAME]  # fmt: skip
    levels.append(_other_level(*_ELSE_NAME))
    return {"output_column_name": "name", "comparison_levels": levels}


def _of_id(column: str, same: float, others: float, differs: float) -> dict[str, Any]:
    null = f"{column}_l is null or {column}_r is null"
    return {
        "output_column_name": column,
        "comparison_levels": [
            {"sql_condition": null, "label_for_charts": "none", "is_null_level": True},
            {"sql_condition": f"{column}_l = {column}_r", "label_for_charts": "same",
             "m_probability": same, "u_probability": others},
            _other_level(differs, 1 - others),
        ],
    }  # fmt: skip


def _other_level(same: float, others: float) -> dict[str, Any]:
    return {"sql_condition": "ELSE", "label_for_charts": "other", "m_probability": same,
            "u_probability": others}  # fmt: skip
