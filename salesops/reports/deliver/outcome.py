"""What became of something that was sent, where it did not simply arrive."""


class NotSent(Exception):
    """The other side did not take it, and would not if it were asked again."""


class Passing(NotSent):
    """It was not taken now; asked again later it may be."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after  # seconds that the other side asks to wait


class Unsure(Exception):
    """It was handed over whole and no answer came: sent again it might arrive twice."""
