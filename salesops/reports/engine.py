"""papermill's own engine, with a bound on what a cell may print."""

from typing import Any

from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.log import logger
from papermill.utils import merge_kwargs, remove_args

ENGINE = "salesops"
# Pages show no text that a cell prints; what the notebook keeps of it is for finding faults.
MOST_PRINTED = 100_000


class BrokenOff(Exception):
    """A kernel ended, or was ended, in the middle of a cell; `cell` is its id."""

    def __init__(self, cell: str) -> None:
        super().__init__(cell)
        self.cell = cell


class Client(PapermillNotebookClient):  # type: ignore[misc]
    """Keeps the first part of what a cell prints, and says that there was more."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._printed: dict[int, int] = {}

    def execute_cell(self, cell: Any, cell_index: int, **options: Any) -> Any:
        """Execute a cell, and say which it was where its kernel ended."""
        try:
            return super().execute_cell(cell, cell_index, **options)
        except (DeadKernelError, RuntimeError) as error:
            # papermill notes every cell as completed, also this one.
            raise BrokenOff(cell.get("id", "")) from error

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        """Take an output, unless it is text beyond the bound."""
        if msg["msg_type"] == "stream":
            before = self._printed.get(cell_index, 0)
            text = msg["content"]["text"]
            self._printed[cell_index] = before + len(text)
            if before >= MOST_PRINTED:
                return None
            if before + len(text) > MOST_PRINTED:
                cut = text[: MOST_PRINTED - before]
                told = f"\n[cut: a cell may print {MOST_PRINTED:,} characters]\n"
                msg = {**msg, "content": {**msg["content"], "text": cut + told}}
        return super().output(outs, msg, display_id, cell_index)


class Engine(NBClientEngine):  # type: ignore[misc]
    """Runs a notebook as papermill does, by the client above."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, start_timeout: int = 60,
        execution_timeout: int | None = None, **options: Any,
    ) -> Any:  # fmt: skip
        """Execute; the options are those of papermill's engine."""
        given = remove_args(["input_path", "timeout", "startup_timeout"], **options)
        given = merge_kwargs(given, timeout=execution_timeout, startup_timeout=start_timeout,
                             kernel_name=kernel_name, log=logger)  # fmt: skip
        return Client(nb_man, **given).execute()


papermill_engines.register(ENGINE, Engine)
