"""What a learner has done: one small file in the learner's own folder, sent nowhere."""

import datetime as dt
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal["new", "tried", "passed"]
NAME = "progress.json"


@dataclass
class Step:
    """One exercise as far as the learner got with it."""

    state: State = "new"
    tries: int = 0
    hints: int = 0
    passed_at: str = ""


@dataclass
class Progress:
    """Steps by exercise, read from and written to a folder."""

    folder: Path
    steps: dict[str, Step] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Progress":
        """Read what was done; a file that can't be read counts as none and is kept aside."""
        path = folder / NAME
        if not path.exists():
            return cls(folder)
        try:
            kept: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
            return cls(folder, {name: Step(**step) for name, step in kept.items()})
        except (ValueError, TypeError, AttributeError):
            os.replace(path, path.with_suffix(".broken.json"))
            return cls(folder)

    def step(self, exercise: str) -> Step:
        """Give the step of an exercise, a new one where it was never tried."""
        return self.steps.setdefault(exercise, Step())

    def tried(self, exercise: str) -> Step:
        """Count a try that did not pass."""
        step = self.step(exercise)
        step.tries += 1
        if step.state == "new":
            step.state = "tried"
        self._write()
        return step

    def passed(self, exercise: str) -> Step:
        """Note that an exercise was passed; what was passed once stays so."""
        step = self.step(exercise)
        if step.state != "passed":
            step.tries += 1
            step.state = "passed"
            step.passed_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            self._write()
        return step

    def hinted(self, exercise: str, most: int) -> int:
        """Count a hint, and give its number."""
        step = self.step(exercise)
        step.hints = min(step.hints + 1, most)
        self._write()
        return step.hints

    def forget(self, prefix: str = "L") -> int:
        """Forget the exercises whose id begins so, and say how many there were."""
        gone = [name for name in self.steps if name.startswith(prefix)]
        for name in gone:
            del self.steps[name]
        self._write()
        return len(gone)

    def _write(self) -> None:
        path = self.folder / NAME
        fresh = path.with_name(f".{NAME}.{os.getpid()}")
        text = json.dumps({n: vars(s) for n, s in sorted(self.steps.items())}, indent=1)
        fresh.write_text(text + "\n", encoding="utf-8")
        os.replace(fresh, path)
