"""Books of imports: each is looked at once."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def _laid_nowhere(laid_nowhere: None) -> None:
    """Lay no book out for others."""
