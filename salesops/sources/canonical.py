"""The mapping of exports that are canonical already: each table and column under its own name.

It is written out from the canonical tables, so that it can't differ from them. With it the folder
of another book, or the dated exports of a CRM that somebody brought into this form, become a book.
"""

from functools import cache

from salesops.book.kept import ENDINGS
from salesops.model.tables import TABLES, facts

NAME = "canonical"
_HEAD = """# Tables and columns that have the names and units of salesops already; times are UTC.
name = "canonical"
title = "Canonical tables"
verified = "vendor documentation"
zone = "UTC"

[recognised_by]
"opportunities.*" = ["id", "stage", "created_at"]
"""


@cache
def canonical_text() -> str:
    """Write the mapping as TOML.

    Examples
    --------
    >>> canonical_text().count("[[tables.")
    20
    """
    return "\n".join([_HEAD, *map(_table, TABLES)])


def _table(name: str) -> str:
    # A table is one file, or a folder of parts.
    files = ", ".join(f'"{name}{ending}"' for ending in (*ENDINGS, ""))
    optional = "false" if name == "opportunities" else "true"
    columns = "".join(f'{column} = "{column}"\n' for column in facts(name))
    return (
        f"[[tables.{name}]]\nfile = [{files}]\noptional = {optional}\nas_found = true\n\n"
        f"[tables.{name}.columns]\n{columns}"
    )
