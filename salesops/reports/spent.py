"""Where the time of a run went."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds of one job, by what took them; together they are all of it.

    Attributes
    ----------
    start
        What is no cell: papermill, the start of the kernel and its end.
    imports
        Cells up to and with the one tagged `head`. It is the first that needs the packages and the
        book, so it loads the one, opens the other and works the analysis out.
    cells
        All other cells: they show what was worked out.
    export
        Laying out the page and the notebook as text.
    """

    start: float
    imports: float
    cells: float
    export: float

    @classmethod
    def of(cls, notebook: Any, *, executed: float, export: float) -> "Spent":
        """Split the time of a job by what papermill noted at each cell.

        Parameters
        ----------
        notebook
            As papermill left it, whole or up to the cell that failed.
        executed, export
            Seconds of the execution, and of what came after.
        """
        imports = cells = 0.0
        opened = False
        for cell in notebook.cells:
            noted = cell.get("metadata", {}).get("papermill", {}).get("duration") or 0.0
            if opened:
                cells += noted
            else:
                imports += noted
            opened = opened or "head" in cell.get("metadata", {}).get("tags", [])
        start = max(executed - imports - cells, 0.0)
        return cls(start=start, imports=imports, cells=cells, export=export)

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.start + self.imports + self.cells + self.export

    def by_part(self) -> dict[str, float]:
        """Give the seconds by the name under which they are told."""
        names = {"imports": "import"}
        return {names.get(f.name, f.name): round(getattr(self, f.name), 2) for f in fields(self)}


def summed(times: Iterable[Spent]) -> str:
    """Say in one line how long jobs took, all together.

    Examples
    --------
    >>> summed([Spent(start=3, imports=7, cells=8.4, export=2)] * 2)
    '2 pages in 41 s: start 6, import and analysis 14, cells 17, export 4'
    """
    listed = list(times)
    parts: dict[str, float] = {}
    for one in listed:
        for name, seconds in one.by_part().items():
            parts[name] = parts.get(name, 0.0) + seconds
    n = len(listed)
    told = {"import": "import and analysis"}
    named = ", ".join(f"{told.get(name, name)} {seconds:.0f}" for name, seconds in parts.items())
    return f"{n} page{'s' * (n != 1)} in {sum(parts.values()):.0f} s: {named}"
