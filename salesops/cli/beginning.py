"""`salesops init`: write a company's folder, and say what comes next."""

from pathlib import Path

from rich.console import Console

from salesops.cli.running import languages


def begin_company(folder: str, *, book: str, lang: str, out: Console) -> None:
    """Begin a company's folder."""
    langs = languages(lang)
    from salesops.reports.beginning import begin

    begun = begin(Path(folder), book=book, langs=langs)
    for path in begun.written:
        out.print(f"Written: {path}", markup=False)
    for path in begun.kept:
        out.print(f"There already, left as it is: {path}", markup=False)
    out.print("Next: " + "\n      ".join(begun.steps), markup=False)
