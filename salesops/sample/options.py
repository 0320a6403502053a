"""What may be asked of the generated company."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from salesops.model.errors import SalesopsError, nearest

PROBLEMS = tuple(f"P{number}" for number in range(1, 19))
PRESETS = ("small", "default", "large")
EXPORTS = ("none", "monthly")
SEASONS = ("normal", "strong")
# Option -> its smallest and largest value: what a machine makes in minutes, not what it could.
BOUNDS = {"--seed": (0, 2**31 - 1), "--months": (3, 240), "--deals-per-month": (1, 100_000),
          "--teams": (1, 200)}  # fmt: skip


@dataclass(eq=False, kw_only=True)
class BadSample(SalesopsError, ValueError):
    """The generated company can't be made as it was asked for."""

    option: str
    value: str
    expected: str
    example: str = "--problem P4=2.0 --without P7"

    def __str__(self) -> str:
        return (
            f"Option {self.option} of the sample can't be {self.value!r}.\n"
            f"Expected: {self.expected}.\n"
            f"Write for example: salesops sample build/company {self.example}."
        )


@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """Which company to generate; the same options give the same bytes.

    Attributes
    ----------
    seed
        Any whole number from 0; another seed is another company of the same kind.
    clean
        True leaves every planted problem out.
    preset
        `small` is five reps in one workbook, `default` 30 reps, `large` a million deals.
    months
        Calendar months up to and with the one that holds `end`.
    deals_per_month
        New and expansion deals created a month; leads, accounts and targets follow, people do not.
    teams
        Sales teams; six reps each on average.
    problems
        Sizes of planted problems as multiples of their default, such as ``{"P4": 2.0}``.
    without
        Planted problems to leave out.
    exports
        `none`, or `monthly` for dated exports without a history.
    end
        Last day that is known.
    season
        `normal`, or `strong` for a company that signs nearly everything at quarter ends.
    """

    seed: int = 1
    clean: bool = False
    preset: Literal["small", "default", "large"] = "default"
    months: int = 36
    deals_per_month: int | None = None
    teams: int | None = None
    problems: Mapping[str, float] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    exports: Literal["none", "monthly"] = "none"
    end: dt.date = dt.date(2026, 6, 20)
    season: Literal["normal", "strong"] = "normal"

    def __post_init__(self) -> None:
        for name in (*self.problems, *self.without):
            if name not in PROBLEMS:
                near = f"one of {', '.join(PROBLEMS)}; nearest: {nearest(name, PROBLEMS)}"
                raise BadSample(option="--problem or --without", value=name, expected=near)
        words = (("--preset", self.preset, PRESETS), ("--exports", self.exports, EXPORTS),
                 ("season", self.season, SEASONS))  # fmt: skip
        for option, word, known in words:
            if word not in known:
                raise BadSample(option=option, value=word, expected=", ".join(known),
                                example=f"{option} {known[-1]}")  # fmt: skip
        wholes = {"--seed": self.seed, "--months": self.months, "--teams": self.teams,
                  "--deals-per-month": self.deals_per_month}  # fmt: skip
        for option, value in wholes.items():
            least, most = BOUNDS[option]
            if value is not None and not least <= value <= most:
                expected = f"a whole number from {least} to {most:,}"
                raise BadSample(option=option, value=str(value), expected=expected,
                                example=f"{option} {least + 3}")  # fmt: skip
        for name, multiple in self.problems.items():
            if not 0 <= multiple <= 20:
                raise BadSample(option=f"--problem {name}", value=str(multiple), expected="0 to 20")

    @classmethod
    def read(
        cls,
        *,
        problems: Sequence[str] = (),
        without: Sequence[str] = (),
        **options: Any,
    ) -> "SampleOptions":
        """Read options as they are typed: problems as P4=2.0.

        Raises
        ------
        BadSample
            An option can't be read, with what was expected.

        Examples
        --------
        >>> SampleOptions.read(problems=["P4=2.0"], without=["P7"]).size("P4")
        2.0
        """
        sizes: dict[str, float] = {}
        for text in problems:
            name, _equals, value = text.partition("=")
            try:
                sizes[name] = float(value or 1)
            except ValueError as error:
                expected = "a problem and its size, such as P4=2.0"
                raise BadSample(option="--problem", value=text, expected=expected) from error
        return cls(problems=sizes, without=frozenset(without), **options)

    def size(self, problem: str) -> float:
        """Give the multiple of a problem's default size; 0 where it is left out."""
        if self.clean or problem in self.without:
            return 0.0
        return float(self.problems.get(problem, 1.0))


def scaled_share(clean: float, planted: float, multiple: float) -> float:
    """Scale a share or rate on the odds scale: the excess over the clean company's odds.

    A share that the problem lowers is scaled by the odds of its opposite, so that no multiple
    leaves 0 to 1.

    Examples
    --------
    >>> scaled_share(0.0, 0.2, 2.0), round(scaled_share(0.25, 0.1, 0.5), 4)
    (0.3333333333333333, 0.1429)
    """
    if multiple in (0, 1):
        return planted if multiple else clean
    if planted < clean:
        return 1 - scaled_share(1 - clean, 1 - planted, multiple)
    base = clean / (1 - clean)
    odds = base + (planted / (1 - planted) - base) * multiple
    return odds / (1 + odds)


def scaled(clean: float, planted: float, multiple: float) -> float:
    """Scale days, counts and money linearly from the clean company's value.

    Examples
    --------
    >>> scaled(2.0, 30.0, 2.0)
    58.0
    """
    return clean + (planted - clean) * multiple
