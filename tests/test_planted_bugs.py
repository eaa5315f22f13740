"""The bugs that `make reliability-selftest` plants still have their place in the code."""

from __future__ import annotations

import pytest
from reliability.mutations import MUTATIONS, Mutation
from started import ROOT


@pytest.mark.parametrize("one", MUTATIONS, ids=lambda one: f"check {one.check}")
def test_the_text_that_a_bug_takes_the_place_of_occurs_once(one: Mutation) -> None:
    assert (ROOT / one.file).read_text(encoding="utf-8").count(one.old) == 1
