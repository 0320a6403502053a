"""Texts that people paste into a terminal."""

# What a shell takes for something else than a letter of a word.
_SIGNS = frozenset(" \t\n>;|&()<$'\"*?[]{}#!`\\")


def pasted(text: str) -> str:
    r"""Write a word of a command so that a shell takes it for one word.

    Examples
    --------
    >>> pasted("build/商机"), pasted("build/Q1 deals"), pasted("Ann's")
    ('build/商机', "'build/Q1 deals'", '"Ann\'s"')
    """
    if text and not set(text) & _SIGNS:
        return text
    if "'" not in text:
        return f"'{text}'"
    return '"' + "".join(f"\\{c}" if c in '"$`\\' else c for c in text) + '"'
