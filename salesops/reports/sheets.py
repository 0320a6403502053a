"""Tables for spreadsheets: no cell begins a formula, and a file is there whole or not at all."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

# What a spreadsheet takes for the begin of a formula, also in the width of Chinese characters.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(value: Any) -> Any:
    """Give a text that no spreadsheet takes for a formula; numbers stay numbers.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("A-1"), safe_cell(-5.0)
    ("'=1+1", 'A-1', -5.0)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_STARTS) else value


def write_csv(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table as CSV that spreadsheets open with Chinese text, by one rename.

    Raises
    ------
    OSError
        The folder is not there or can't be written to.
    """
    target = Path(path)
    safe = frame.rename(columns=safe_cell)
    texts = [c for c in safe.columns if not pd.api.types.is_numeric_dtype(safe[c])]
    safe = safe.assign(**{c: safe[c].map(safe_cell) for c in texts})
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(handle)
    partial = Path(name)
    try:
        # With a mark of the encoding, without which Excel takes UTF-8 for something else.
        safe.to_csv(partial, index=False, encoding="utf-8-sig")
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target
