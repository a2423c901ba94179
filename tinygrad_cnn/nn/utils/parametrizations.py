"""Weight and spectral norm as parametrizations."""

from __future__ import annotations

from typing import TypeVar

from ...engine import wrap
from ...tensor import Tensor
from ..module import Module
from .normed import (
    as_matrix,
    by_spectral_norm,
    by_weight_norm,
    default_dim,
    first_vectors,
    norm_except,
    power_iteration,
)
from .parametrize import register_parametrization

__all__ = ["spectral_norm", "weight_norm"]

WARM_UP_STEPS = 15  # of power iteration before the first use, as in PyTorch
M = TypeVar("M", bound=Module)


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """g v / ‖v‖."""
        return by_weight_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """g and v of a weight: its norms, and itself."""
        return norm_except(weight.detach(), self.dim), weight.detach()


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float):
        super().__init__()
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got n_power_iterations="
                f"{n_power_iterations}"
            )
        self.dim, self.eps, self.n_power_iterations = dim % weight.ndim, eps, n_power_iterations
        if weight.ndim > 1:
            u, v = first_vectors(weight, self.dim, eps)
            power_iteration(as_matrix(weight.detach(), self.dim)._array, u, v, WARM_UP_STEPS, eps)
            self.register_buffer("_u", u)
            self.register_buffer("_v", v)

    def forward(self, weight: Tensor) -> Tensor:
        """weight / σ. A vector is divided by its length."""
        if weight.ndim == 1:
            norm = norm_except(weight, None)
            n = norm._array
            return weight / (norm + wrap(n.dtype.type(max(self.eps - float(n), 0.0)).reshape(())))
        if self.training:
            matrix = as_matrix(weight.detach(), self.dim)._array
            power_iteration(matrix, self._u, self._v, self.n_power_iterations, self.eps)
        return by_spectral_norm(weight, self._u, self._v, self.dim)

    def right_inverse(self, value: Tensor) -> Tensor:
        """The weight itself."""
        return value


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Make the parameter g v / ‖v‖, with g its norms over all axes but dim.

    g and v are the new parameters `parametrizations.<name>.original0` and `original1` (Salimans and
    Kingma 2016). Returns the module. Raises ValueError where there is no such parameter.

    >>> [name for name, _ in weight_norm(tc.nn.Linear(2, 3, bias=False)).named_parameters()]
    ['parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide the parameter by an estimate of its largest singular value (Miyato et al. 2018).

    Each use of the parameter in training improves the estimate by `n_power_iterations` steps. `dim`
    is the axis of the outputs. Returns the module. Raises ValueError where there is no such
    parameter, or n_power_iterations is not positive.

    >>> [name for name, _ in spectral_norm(tc.nn.Linear(2, 2)).named_buffers()]
    ['parametrizations.weight.0._u', 'parametrizations.weight.0._v']
    """
    weight = module._parameters.get(name)
    if weight is None:
        raise ValueError(f"Module '{module}' has no parameter with name {name!r}")
    dim = default_dim(module) if dim is None else dim
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)
