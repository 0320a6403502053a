"""The font that comes with the installation: for pictures, and cut down to a page's characters."""

import base64
import io
import re
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

FAMILY = "Noto Sans CJK SC"
# The page's own name for its embedded part: a reader's machine may have a font of the first name.
EMBEDDED = "Salesops Sans"
# Face of the collection that holds the simplified Chinese forms; the first one is Japanese.
SIMPLIFIED = 2


@cache
def font_file() -> Path:
    """Find the font collection that comes with the installation.

    Raises
    ------
    FileNotFoundError
        The package noto-cjk-sans-otc holds no collection.
    """
    spec = find_spec("noto_cjk_sans_otc")
    roots = list(spec.submodule_search_locations or []) if spec else []
    for root in roots:
        for found in sorted(Path(root).rglob("*.tt[cf]")):
            return found
    raise FileNotFoundError("noto-cjk-sans-otc is not installed; pip install noto-cjk-sans-otc")


@cache
def register() -> tuple[str, ...]:
    """Tell matplotlib of the font, once, and give the families to draw with.

    There is one Regular weight, so pictures never ask for bold.
    """
    from matplotlib import font_manager

    if FAMILY not in font_manager.get_font_names():
        font_manager.fontManager.addfont(font_file())
    return (FAMILY, "DejaVu Sans")


def needs_embedding(text: str) -> bool:
    """Say whether a text has characters that a machine without Chinese fonts can't show.

    Examples
    --------
    >>> needs_embedding("Funnel, ¥538k − 9 pts"), needs_embedding("华东/一组")
    (False, True)
    """
    return any(ord(char) >= 0x2E80 for char in text)


def face(text: str) -> str:
    """Give the CSS rule that embeds the characters of a text; empty where none needs it."""
    if not needs_embedding(text):
        return ""
    data = base64.b64encode(_subset("".join(sorted(set(text))))).decode()
    return (
        f'@font-face {{ font-family: "{EMBEDDED}"; font-display: block; '
        f'src: url("data:font/woff2;base64,{data}") format("woff2"); }}'
    )


@lru_cache(maxsize=16)
def _subset(characters: str) -> bytes:
    """Cut the font down to some characters, as WOFF2."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(layout_features=["kern", "tnum", "lnum"], hinting=False,
                             desubroutinize=False, name_IDs=[1, 2])  # fmt: skip
    with TTFont(font_file(), fontNumber=SIMPLIFIED, lazy=True) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(text=characters)
        cutter.subset(font)
        font.flavor = "woff2"
        buffer = io.BytesIO()
        font.save(buffer)
    return buffer.getvalue()


def covered(characters: str) -> set[str]:
    """Give the characters that the font has a glyph for."""
    return {char for char in characters if ord(char) in _codepoints()}


@cache
def _codepoints() -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(font_file(), fontNumber=SIMPLIFIED, lazy=True) as font:
        return frozenset(font.getBestCmap())


def without_pictures(page: str) -> str:
    """Leave embedded data out of a page, so that only characters to be shown remain."""
    return re.sub(r'"data:[^"]*"', '""', page)
