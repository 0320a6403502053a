"""Sales operations analyses with point-in-time truth, for notebooks and reports.

Examples
--------
>>> import salesops
>>> book = salesops.open_book("tests/tiny_company")
>>> salesops.funnel(book.as_of("2026-02-28")).stages["n"].tolist()
[0, 3, 2]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from salesops.analyses.churn import churn as churn
    from salesops.analyses.collaboration import collaboration as collaboration
    from salesops.analyses.collection import collection as collection
    from salesops.analyses.conversion import conversion as conversion
    from salesops.analyses.diagnosis import diagnosis as diagnosis
    from salesops.analyses.explained import explain as explain
    from salesops.analyses.funnel import funnel as funnel
    from salesops.analyses.performance import performance as performance
    from salesops.analyses.process import process as process
    from salesops.analyses.quality import quality as quality
    from salesops.analyses.review import review as review
    from salesops.analyses.selection import selection as selection
    from salesops.analyses.service import service as service
    from salesops.analyses.stall import stall as stall
    from salesops.analyses.targets import targets as targets
    from salesops.book.book import Book as Book
    from salesops.book.book import open_book as open_book
    from salesops.metrics.catalogue import metric as metric
    from salesops.model.errors import SalesopsError as SalesopsError
    from salesops.model.finding import Finding as Finding
    from salesops.opening import at as at

# Name -> module that holds it; loaded when first used, so that `import salesops` is quick.
_PUBLIC = {
    "Book": "salesops.book.book",
    "Finding": "salesops.model.finding",
    "SalesopsError": "salesops.model.errors",
    "at": "salesops.opening",
    "churn": "salesops.analyses.churn",
    "collaboration": "salesops.analyses.collaboration",
    "collection": "salesops.analyses.collection",
    "conversion": "salesops.analyses.conversion",
    "diagnosis": "salesops.analyses.diagnosis",
    "explain": "salesops.analyses.explained",
    "funnel": "salesops.analyses.funnel",
    "metric": "salesops.metrics.catalogue",
    "open_book": "salesops.book.book",
    "performance": "salesops.analyses.performance",
    "process": "salesops.analyses.process",
    "quality": "salesops.analyses.quality",
    "review": "salesops.analyses.review",
    "selection": "salesops.analyses.selection",
    "service": "salesops.analyses.service",
    "stall": "salesops.analyses.stall",
    "targets": "salesops.analyses.targets",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"salesops has no {name!r}; it has {', '.join(_PUBLIC)}")


def __dir__() -> list[str]:
    return list(_PUBLIC)
