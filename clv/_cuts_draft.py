"""Draft until clv.tiers has it."""
from __future__ import annotations
from dataclasses import dataclass
import numpy as np
from clv.tiers import Tiers

@dataclass(frozen=True)
class Cuts:
    tiers: Tiers
    cents: tuple[int | None, ...]
    def assign(self, predicted, is_new):
        names = np.array([n for n, _ in self.tiers.by_value_share], dtype=object)
        out = np.full(len(predicted), names[-1], dtype=object)
        for name, cut in reversed(list(zip(names[:-1], self.cents[:-1]))):
            if cut is not None: out[predicted >= cut] = name
        if self.tiers.new is not None: out[is_new] = self.tiers.new
        return out
    def lowest(self, name):
        names = [n for n, _ in self.tiers.by_value_share]
        return self.cents[names.index(name)] if name in names else None

def cuts(predicted, is_new, tiers):
    ranked = predicted[~is_new] if tiers.new is not None else predicted
    value = np.sort(ranked)[::-1].astype(float)
    before = np.cumsum(value) - value
    shares = np.array([s for _, s in tiers.by_value_share[:-1]])
    places = np.searchsorted(shares * value.sum(), before, side="right")
    found = [value[places == k] for k in range(len(shares) + 1)]
    return Cuts(tiers, tuple(int(f.min()) if len(f) else None for f in found))
