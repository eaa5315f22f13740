"""Rooms whose libraries come with an extra and may not be there."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from connectors.errors import ConfigurationError


def needed(room: str, what: str, extra: str) -> ModuleType:
    """The module `room`. Raises ConfigurationError, that `what` needs a library, and its extra."""
    try:
        return import_module(room)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{what} needs {error.name}",
            mend=f"Install the extra: pip install 'clv-sync[{extra}]'.",
        ) from error
