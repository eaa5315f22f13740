"""`clv`, loaded when something of it is asked for.

With SciPy and pandas it takes half of a start, and most commands score nobody.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = ["clv"]


def _on_first_use(name: str) -> ModuleType:
    """The module, loaded when something of it is asked for.

    https://docs.python.org/3/library/importlib.html#implementing-lazy-imports
    """
    spec = find_spec(name)
    if name in sys.modules or not spec or not spec.loader:
        return import_module(name)
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    import clv
else:
    clv = _on_first_use("clv")
