"""Weight and spectral normalisation by hooks: each call first computes the weight."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

import numpy as np

from ... import functions, kernels, ops
from ...engine import mark_written, wrap
from ...random import source
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def norm_except(v: Tensor, dim: int | None) -> Tensor:
    """‖v‖ over all axes but `dim`; they stay with size 1. With None over all axes, as a 0-d Tensor."""
    if dim is None or dim == -1:
        return ops.norm(v, dim=None)
    kept = dim % v.ndim
    return ops.norm(v, dim=tuple(k for k in range(v.ndim) if k != kept), keepdim=True)


def by_weight_norm(v: Tensor, g: Tensor, dim: int | None) -> Tensor:
    """g v / ‖v‖."""
    return v * (g / norm_except(v, dim))


def power_iteration(matrix: np.ndarray, x: Tensor, y: Tensor, steps: int, eps: float) -> None:
    """Move x and y, in place, towards the singular vectors of the largest singular value.

    Each step sets x ← matrix · y, then y ← matrixᵀ · x, both scaled to length 1.
    """
    for _ in range(steps):
        for to, m, of in ((x, matrix, y), (y, matrix.T, x)):
            with kernels.all_blas_threads():
                new = m @ of._array
                to._array[...] = new / max(float(np.linalg.norm(new)), eps)
            mark_written(to._array)


def by_spectral_norm(weight: Tensor, u: Tensor, v: Tensor, dim: int) -> Tensor:
    """W / σ with σ = uᵀ W v, the largest singular value. u and v are constants."""
    u, v = wrap(u._array.copy()), wrap(v._array.copy())
    return weight / (as_matrix(weight, dim) * (functions.reshape(u, (-1, 1)) * v)).sum()


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """The weight as a matrix: axis `dim` first, the other axes as one."""
    order = (dim, *(k for k in range(weight.ndim) if k != dim))
    return functions.reshape(functions.permute(weight, order), (weight.shape[dim], -1))


def first_vectors(weight: Tensor, dim: int, eps: float) -> list[Tensor]:
    """The first u (rows,) and v (columns,): random, of length 1."""
    found = []
    for n in as_matrix(weight.detach(), dim).shape:
        x = source().standard_normal(n)
        found.append(wrap((x / max(float(np.linalg.norm(x)), eps)).astype(weight.dtype)))
    return found


class _Computed:
    """A forward pre-hook that computes the attribute `name` of a module from its parameters."""

    kind = ""

    def __init__(self, name: str):
        self.name = name

    def compute(self, module: Any) -> Tensor:
        raise NotImplementedError

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute(module))

    def put_on(self, module: Any) -> None:
        """Install the hook. RuntimeError for a second one, AttributeError where there is no parameter."""
        if self.find(module, self.name) is not None:
            raise RuntimeError(
                f"Cannot register two {self.kind} hooks on the same parameter {self.name}"
            )
        if module._parameters.get(self.name) is None:
            raise AttributeError(f"{self.kind}: {module} has no parameter {self.name!r}")
        self.split(module, module._parameters.pop(self.name))
        setattr(module, self.name, self.compute(module).detach())
        module.register_forward_pre_hook(self)

    def split(self, module: Any, weight: Any) -> None:
        """Register the parameters and buffers from which the weight is computed."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """The names that `split` registers."""
        raise NotImplementedError

    @classmethod
    def find(cls, module: Any, name: str) -> int | None:
        """The key of the module's hook of this class for that parameter, or None."""
        for key, (hook, _) in module._hooks.before.items() if module._hooks else ():
            if isinstance(hook, cls) and hook.name == name:
                return key
        return None

    @classmethod
    def take_from(cls, module: Any, name: str) -> Any:
        """Remove the hook, and make the weight a parameter again."""
        key = cls.find(module, name)
        if key is None:
            raise ValueError(f"{cls.kind} of '{name}' not found in {module}")
        hook, _ = module._hooks.before.pop(key)
        weight = hook.compute(module).detach()
        delattr(module, name)
        for part in hook.names():
            delattr(module, part)
        module.register_parameter(name, Parameter(weight))
        return module


class WeightNorm(_Computed):
    """weight = g v / ‖v‖, from the parameters weight_g and weight_v (Salimans and Kingma 2016)."""

    kind = "weight_norm"

    def __init__(self, name: str, dim: int | None):
        super().__init__(name)
        self.dim = dim

    def names(self) -> list[str]:
        return [self.name + "_g", self.name + "_v"]

    def compute(self, module: Any) -> Tensor:
        g, v = (getattr(module, name) for name in self.names())
        return by_weight_norm(v, g, self.dim)

    def split(self, module: Any, weight: Any) -> None:
        g, v = self.names()
        module.register_parameter(g, Parameter(norm_except(weight.detach(), self.dim)))
        module.register_parameter(v, Parameter(weight.detach()))


class SpectralNorm(_Computed):
    """weight = weight_orig / σ, with σ its largest singular value (Miyato et al. 2018)."""

    kind = "spectral_norm"

    def __init__(self, name: str, steps: int, eps: float, dim: int):
        super().__init__(name)
        self.n_power_iterations, self.eps, self.dim = steps, eps, dim

    def names(self) -> list[str]:
        return [self.name + end for end in ("_orig", "_u", "_v")]

    def compute(self, module: Any) -> Tensor:
        weight, u, v = (getattr(module, name) for name in self.names())
        return by_spectral_norm(weight, u, v, self.dim)

    def __call__(self, module: Any, inputs: Any) -> None:
        if module.training:
            weight, u, v = (getattr(module, name) for name in self.names())
            matrix = as_matrix(weight.detach(), self.dim)._array.T
            power_iteration(matrix, v, u, self.n_power_iterations, self.eps)
        super().__call__(module, inputs)

    def split(self, module: Any, weight: Any) -> None:
        orig, *vectors = self.names()
        module.register_parameter(orig, weight)
        for name, vector in zip(vectors, first_vectors(weight, self.dim, self.eps), strict=True):
            module.register_buffer(name, vector)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Replace the parameter by two: `weight_g`, its norms over all axes but dim, and `weight_v`.

    Each call of the module first computes g v / ‖v‖. Returns the module. Deprecated, with a
    FutureWarning: use `parametrizations.weight_norm`. Raises AttributeError where there is no such
    parameter, RuntimeError where it is normalised already.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     layer = weight_norm(tc.nn.Linear(2, 3, bias=False))
    >>> [name for name, _ in layer.named_parameters()]
    ['weight_g', 'weight_v']
    >>> [name for name, _ in remove_weight_norm(layer).named_parameters()]
    ['weight']
    """
    warnings.warn(
        "`nn.utils.weight_norm` is deprecated in favor of `nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    WeightNorm(name, dim).put_on(module)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo `weight_norm`: the current weight becomes the parameter. ValueError if there is none."""
    return WeightNorm.take_from(module, name)


def default_dim(module: Module) -> int:
    """The axis of the output channels."""
    return 1 if type(module).__name__.startswith("ConvTranspose") else 0


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide the weight, at each call, by an estimate of its largest singular value.

    The parameter becomes `weight_orig`. The buffers `weight_u` and `weight_v` hold estimates of the
    singular vectors; each call in training improves them by `n_power_iterations` steps. `dim` is the
    axis of the outputs. Returns the module. Raises as `weight_norm`, and ValueError where
    n_power_iterations is not positive.

    >>> layer = spectral_norm(tc.nn.Linear(2, 2))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight_orig']
    >>> [name for name, _ in remove_spectral_norm(layer).named_parameters()]
    ['bias', 'weight']
    """
    if n_power_iterations <= 0:
        raise ValueError(
            "Expected n_power_iterations to be positive, but got n_power_iterations="
            f"{n_power_iterations}"
        )
    dim = default_dim(module) if dim is None else dim
    SpectralNorm(name, n_power_iterations, eps, dim).put_on(module)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undo `spectral_norm`: the current weight becomes the parameter. ValueError if there is none."""
    return SpectralNorm.take_from(module, name)
