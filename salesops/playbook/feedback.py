"""What a learner is told: in a notebook a coloured box, elsewhere plain lines."""

import html
from dataclasses import dataclass
from typing import Literal

from salesops.wording import say

Status = Literal["passed", "not_yet", "not_attempted", "error", "set_up_missing", "note"]
_COLOURS: dict[str, str] = {
    "passed": "#1a7f4b", "not_yet": "#b45309", "not_attempted": "#5b6470",
    "error": "#b3261e", "set_up_missing": "#b3261e", "note": "#2b5fa8",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """The outcome of a check, a hint or a prediction.

    Attributes
    ----------
    status
        What came out.
    heading, lines
        In the learner's language.
    code
        Code to read, such as a solution after some tries.
    meaning
        Name of the usual mistake that was recognised.
    """

    status: Status
    heading: str
    lines: tuple[str, ...] = ()
    code: str = ""
    meaning: str = ""

    def __repr__(self) -> str:
        return "\n".join([self.heading, *self.lines, *([self.code] if self.code else [])])

    def _repr_html_(self) -> str:
        colour = _COLOURS[self.status]
        said = "".join(f"<p style='margin:.3em 0'>{html.escape(line)}</p>" for line in self.lines)
        code = f"<pre style='margin:.4em 0'>{html.escape(self.code)}</pre>" if self.code else ""
        return (
            f"<div class='salesops-{self.status}' style='border-left:4px solid {colour};"
            f"padding:.3em .9em;margin:.4em 0'>"
            f"<b style='color:{colour}'>{html.escape(self.heading)}</b>{said}{code}</div>"
        )


def told(status: Status, exercise: str, *lines: str, code: str = "", meaning: str = "") -> Feedback:
    """Put feedback on an exercise together."""
    heading = say(f"lesson.status.{status}", exercise=exercise)
    return Feedback(status=status, heading=heading, lines=lines, code=code, meaning=meaning)
