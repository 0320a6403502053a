"""What the last import of a book left to be said on its pages."""

import tomllib
from pathlib import Path


def assumed_mapping(where: str) -> str:
    """Name the mapping of the last import where nobody has held it against a real file.

    Parameters
    ----------
    where
        Path or URL of the book.

    Returns
    -------
    str
        Its name; empty where it is verified, or the book was made otherwise.

    Examples
    --------
    >>> assumed_mapping("data/sample")
    ''
    """
    path = Path(where) / "imports.toml"
    if "://" in where or not path.is_file():
        return ""
    try:
        imports = tomllib.loads(path.read_text(encoding="utf-8")).get("imports", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # The next import refuses it; a page can be made all the same.
        return ""
    last = imports[-1] if imports else {}
    return str(last.get("source", "")) if last.get("verified") == "assumed" else ""
