"""What every fitted model is: a value with its parameters, their uncertainty, and how it was found.

A model's parameters are positive, and its likelihood is close to quadratic in their logarithms.
So their uncertainty is kept as the covariance of the logarithms: the inverse of the observed
information there, which never reaches below zero when parameters are drawn from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Covariance = tuple[tuple[float, ...], ...]

#: Parameters are drawn no further from the estimate than this factor (e^3): beyond, the quadratic
#: picture of the likelihood says nothing.
FURTHEST = 3.0


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The base of all models; each adds its parameters as fields and names them in PARAMETERS.

    `log_covariance` belongs to the logarithms of PARAMETERS, in their order; None where the data
    don't determine them or nothing was fitted. `at_wall` names parameters that would have run off
    (customers then hardly differ in what they describe); they are taken to be certain.
    """

    NAME: ClassVar[str]
    PARAMETERS: ClassVar[tuple[str, ...]]

    log_likelihood: float = 0.0
    customers: int = 0
    log_covariance: Covariance | None = None
    at_wall: tuple[str, ...] = ()

    @property
    def parameters(self) -> Floats:
        """The values of PARAMETERS."""
        return np.array([getattr(self, name) for name in self.PARAMETERS])

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """By parameter, in its own unit; None where it is not determined or stopped at a wall."""
        if self.log_covariance is None:
            return dict.fromkeys(self.PARAMETERS)
        errors = self.parameters * np.sqrt(np.diag(self.log_covariance))
        return {n: float(e) or None for n, e in zip(self.PARAMETERS, errors, strict=True)}

    def with_parameters(self, values: Floats) -> Self:
        """The same model with other parameters, in the order of PARAMETERS."""
        changed: dict[str, Any] = dict(zip(self.PARAMETERS, map(float, values), strict=True))
        return replace(self, **changed)

    def drawn(self, many: int, rng: np.random.Generator) -> list[Self]:
        """`many` models as the data allow them: log-parameters from their normal distribution.

        Without a covariance, the model itself as often.
        """
        if self.log_covariance is None:
            return [self] * many
        curvature, axes = np.linalg.eigh(np.array(self.log_covariance))
        widths = np.sqrt(np.maximum(curvature, 0.0))
        steps = (rng.standard_normal((many, len(widths))) * widths) @ axes.T
        return [
            self.with_parameters(self.parameters * np.exp(step))
            for step in np.clip(steps, -FURTHEST, FURTHEST)
        ]

    def as_dict(self) -> dict[str, Any]:
        """The fields and the standard errors, as plain JSON values: what the model card shows."""
        fields = {"model": self.NAME, **asdict(self), "standard_errors": self.standard_errors}
        del fields["log_covariance"]
        return fields

    def to_json(self) -> str:
        """The model as JSON text, to the last digit."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        return cls(**{name: _frozen(value) for name, value in json.loads(text).items()})


def _frozen(value: Any) -> Any:
    """JSON's lists as the tuples that they were; its mappings as they are."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, Mapping):
        return {name: _frozen(item) for name, item in value.items()}
    return value
