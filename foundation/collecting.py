"""Bulk work without the search for reference cycles.

Pure. Python goes through all objects that are there, again and again while they become more; with a county's rows in
memory that costs several times what the work itself does, and grows faster than the county.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_cycle_search() -> Iterator[None]:
    """Puts the search off for the length of a block, or of a function that is decorated with it.

    For work that makes many objects which all stay and hold no cycles: nothing is then kept longer than it would be.
    """
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()
