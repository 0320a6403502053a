"""What-if by sliders in JupyterLab: growth, hiring, win rate, and the chance that answers."""

from collections.abc import Callable
from typing import Any, Protocol

from salesops.wording import label, say

GROWTH, HIRES, WINS = (-0.3, 0.6, 0.01), (0, 15), (-0.3, 0.5, 0.05)


class Asked(Protocol):
    """Gives the chance of signing so much more than in the year before."""

    def __call__(self, *, growth: float = 0.0, hires: int = 0, wins: float = 0.0) -> float:
        """Answer."""


def answer(asked: Asked, before: float, growth: float, hires: int, wins: float) -> str:
    """Say the chance in a sentence."""
    chance = asked(growth=growth, hires=hires, wins=wins)
    return say("targets.answer", goal=before * (1 + growth), chance=chance)


def sliders(asked: Asked | None, before: float) -> Any:
    """Give three sliders and the sentence that follows them.

    Raises
    ------
    ImportError
        ipywidgets is not installed.
    """
    import ipywidgets

    told = ipywidgets.HTML()
    if asked is None:
        told.value = say("targets.what_if_none")
        return told
    kinds: list[tuple[str, Callable[..., Any], tuple[float, ...]]] = [
        ("growth", ipywidgets.FloatSlider, GROWTH), ("hires", ipywidgets.IntSlider, HIRES),
        ("wins", ipywidgets.FloatSlider, WINS),
    ]  # fmt: skip
    found = {}
    for name, kind, (low, high, *step) in kinds:
        more = {"step": step[0], "readout_format": "+.0%"} if step else {}
        found[name] = kind(value=0, min=low, max=high, description=label(f"targets.{name}_slider"),
                           continuous_update=False, **more)  # fmt: skip

    def follow(_change: object = None) -> None:
        told.value = answer(asked, before, found["growth"].value, found["hires"].value,
                            found["wins"].value)  # fmt: skip

    for slider in found.values():
        slider.observe(follow, names="value")
    follow()
    return ipywidgets.VBox([*found.values(), told])
