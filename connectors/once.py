"""What is found out on first use, and then known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 -- reads like `property`
    """A property that is worked out once, for an object that one thread drives.

    `functools.cached_property` would, up to Python 3.11, hold one lock for all objects of a class
    meanwhile: while one shop is asked what it can do, another couldn't be.
    https://docs.python.org/3/library/functools.html#functools.cached_property (2026-11-29)
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, holder: object, owner: type | None = None) -> T:
        found = vars(holder)[self._name] = self._work(holder)  # found there from now on
        return found
