"""Texts that can be read in one way alone, whole columns of them at once by Arrow.

Most values of an export are such. What is left is read one by one, with its reason where it can't.
"""

from typing import Any

import pandas as pd

# As engines write money: what rounds, is a negative zero or too large is left to others.
_AMOUNT = r"^(?:[0-9]{1,15}|-[1-9][0-9]{0,14})(?:\.[0-9]{1,2})?$"
# Texts of which a set would take much memory.
_MANY = 100_000
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?$"


def like(texts: pd.Series, pattern: str) -> "pd.Series":
    """Say which texts hold a pattern, which is of RE2; a null holds none.

    Examples
    --------
    >>> like(pd.Series(["a1", None, "b"]), "[0-9]").tolist()
    [True, False, False]
    """
    import pyarrow.compute as pc

    found = pc.fill_null(pc.match_substring_regex(_arrow(texts), pattern), False)
    return pd.Series(found.to_numpy(zero_copy_only=False), index=texts.index, dtype=bool)


def plain_amounts(texts: pd.Series) -> "pd.Series":
    """Read money as engines write it, exactly; null where a text is of another form.

    Examples
    --------
    >>> plain_amounts(pd.Series(["12.5", "-3", "1,234", "0.005"])).tolist()
    [Decimal('12.50'), Decimal('-3.00'), <NA>, <NA>]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    told = _arrow(texts)
    is_plain = pc.match_substring_regex(told, _AMOUNT)
    plain = pc.if_else(is_plain, told, pa.scalar(None, told.type)).cast(pa.decimal128(18, 2))
    return pd.Series(pd.arrays.ArrowExtensionArray(plain), index=texts.index)


def are_plain_moments(texts: pd.Series) -> bool:
    """Say whether all texts are days, or days and times, as ISO 8601 writes them, without a zone.

    Examples
    --------
    >>> are_plain_moments(pd.Series(["2026-03-05", "2026-03-05 10:00"]))
    True
    """
    return bool(like(texts, _MOMENT).all())


def all_differ(texts: pd.Series) -> bool:
    """Say whether no text is there twice.

    A set of millions of texts takes more memory than the texts. Of many their hashes are sorted:
    where these differ so do the texts.

    Examples
    --------
    >>> all_differ(pd.Series(["d1", "d2"])), all_differ(pd.Series(["d1", "d1"]))
    (True, False)
    """
    if len(texts) < _MANY:
        return bool(texts.is_unique)
    import duckdb
    import numpy as np
    import pyarrow as pa

    with duckdb.connect() as con:
        con.register("texts", pa.table({"text": _arrow(texts)}))
        hashes = con.execute("select hash(text) as h from texts").fetchnumpy()["h"]
    hashes = np.sort(np.asarray(hashes))
    return bool((hashes[1:] != hashes[:-1]).all()) or bool(texts.is_unique)


def _arrow(texts: pd.Series) -> Any:
    import pyarrow as pa

    if isinstance(texts.dtype, pd.StringDtype):
        return pa.array(texts)
    return pa.array(texts, type=pa.string(), from_pandas=True)
