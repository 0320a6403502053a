"""Which language is shown, and whose currency and stage names: set once, read at display."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Literal, get_args

from salesops.model.settings import Settings

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_language: ContextVar[Language] = ContextVar("language", default="en")
_settings: ContextVar[Settings | None] = ContextVar("settings", default=None)


def current_language() -> Language:
    """Give the language in which things are shown."""
    return _language.get()


def set_language(lang: str) -> None:
    """Show everything from here on in `zh` or `en`.

    Raises
    ------
    ValueError
        The language is neither.
    """
    for known in LANGUAGES:
        if lang == known:
            _language.set(known)
            return
    raise ValueError(f"Language {lang!r} is not known. Expected zh or en. Write: --lang zh,en")


@contextmanager
def language(lang: str) -> Iterator[None]:
    """Show everything inside the `with` block in `zh` or `en`."""
    before = current_language()
    set_language(lang)
    try:
        yield
    finally:
        _language.set(before)


def tell_company(settings: Settings) -> None:
    """Take currency and stage names from these settings from here on."""
    _settings.set(settings)


def current_settings() -> Settings:
    """Give the settings whose stage names and currency are shown."""
    return _settings.get() or _packaged()


@cache
def _packaged() -> Settings:
    """Read the packaged settings once: every number that is shown asks for them."""
    return Settings.default()
