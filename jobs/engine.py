"""`clv`, loaded when something of it is asked for.

With SciPy and pandas it takes half of a start, and most commands score nobody.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["clv"]


class _OnFirstUse:
    """Stands for `clv`. (A module with importlib's LazyLoader would run `clv.errors` twice where
    that is imported before `clv` was used, and what one raises the other wouldn't catch.)"""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("clv"), name)


if TYPE_CHECKING:
    import clv
else:
    clv = _OnFirstUse()
