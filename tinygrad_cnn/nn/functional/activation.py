"""Activations: each a line of what it is and a line of how; `inplace` writes y over the input."""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import Any

import numpy as np

from ... import functions, ops, random
from ...engine import Recorded, wrap
from ...functions.arguments import axis
from ...inplace import in_place
from .check import tensors

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid",
    "mish", "prelu", "relu", "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid",
    "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
    "threshold", "threshold_",
]  # fmt: skip

sigmoid, tanh = ops.sigmoid, ops.tanh
_in_place = functools.cache(in_place)


def _checked(name: str, input: Any, kinds: str = "f") -> None:
    if not isinstance(input, Recorded):
        tensors(name, input=input)
    if input._array.dtype.kind not in kinds:
        raise NotImplementedError(
            f'"{name}" not implemented for {input._array.dtype}: wanted floating point'
        )


def _apply(op: Any, input: Any, inplace: bool, *others: Any, **attributes: Any) -> Any:
    """The op of the input; in the input's memory if so asked."""
    return (_in_place(op) if inplace else op)(input, *others, **attributes)


def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0); at the kink x = 0 the subgradient is 0."""
    if not isinstance(input, Recorded) or input._array.dtype.kind == "b":
        _checked("relu", input, "fiu")
    return input.relu_() if inplace else ops.relu(input)


def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(x, 0), 6); on both bounds the subgradient is 0."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x, but not under min_val nor over max_val; on both bounds the subgradient is 0.

    Raises ValueError for min_val > max_val.
    """
    _checked("hardtanh", input, "fiu")
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return _apply(ops.hardtanh, input, inplace, min_val=min_val, max_val=max_val)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, else negative_slope · x (at the kink 0 that of the left)."""
    _checked("leaky_relu", input)
    return _apply(ops.prelu, input, inplace, negative_slope)


def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, else weight · x: one weight, or one for each channel (axis 1).

    Raises RuntimeError for a weight of another shape or dtype.
    """
    _checked("prelu", input)
    tensors("prelu", weight=weight)
    shape, w = input._array.shape, weight._array
    if w.dtype != input._array.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {input._array.dtype} and {w.dtype}"
        )
    if w.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.ndim}"
        )
    if w.size != 1:
        channels = shape[1] if len(shape) > 1 else 1
        if not shape or w.size != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{w.size} and channel size = {channels}."
            )
        weight = weight.reshape((-1, *[1] * (len(shape) - 2)))
    elif w.ndim > len(shape):
        weight = weight.reshape(())
    return ops.prelu(input, weight)


def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
    inplace: bool = False,
) -> Any:  # fmt: skip
    """leaky_relu whose slope is, in training, drawn for each element from U[lower, upper).

    In evaluation it is their mean (Xu et al. 2015). Raises RuntimeError for lower > upper.
    """
    _checked("rrelu", input)
    if lower > upper:
        raise RuntimeError(
            f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}"
        )
    slope: Any = (lower + upper) / 2
    if training:
        a = input._array
        draws = random.source().random(a.shape, np.float64 if a.dtype == np.float64 else np.float32)
        slope = wrap(np.asarray(draws * (upper - lower) + lower, a.dtype))
    return _apply(ops.prelu, input, inplace, slope)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else alpha · (eˣ − 1) (Clevert et al. 2016)."""
    return _elu(input, inplace, alpha=alpha)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else alpha · (e^(x / alpha) − 1) (Barron 2017). alpha 0 is a RuntimeError."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _elu(input, inplace, alpha=alpha, rate=1 / alpha)


def selu(input: Any, inplace: bool = False) -> Any:
    """scale · elu(x, alpha), by which activations keep mean 0, variance 1 (Klambauer et al. 2017)."""
    return _elu(input, inplace, alpha=1.6732632423543772, scale=1.0507009873554805)


def _elu(input: Any, inplace: bool, alpha: float, scale: float = 1.0, rate: float = 1.0) -> Any:
    _checked("elu", input)
    return _apply(ops.elu, input, inplace, alpha=alpha, scale=scale, rate=rate)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x Φ(x), Φ the normal distribution function; or, approximate="tanh", nearly that, by a tanh."""
    _checked("gelu", input)
    if approximate not in ("none", "tanh"):
        raise RuntimeError(
            f"approximate argument must be either none or tanh, got {approximate!r}."
        )
    return ops.gelu(input, approximate=approximate)


def silu(input: Any, inplace: bool = False) -> Any:
    """x · sigmoid(x)."""
    _checked("silu", input)
    return _apply(ops.silu, input, inplace)


def mish(input: Any, inplace: bool = False) -> Any:
    """x · tanh(softplus(x)) (Misra 2019)."""
    _checked("mish", input)
    return _apply(ops.mish, input, inplace)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019)."""
    _checked("hardswish", input)
    return _apply(ops.hardswish, input, inplace)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """min(max(x + 3, 0), 6) / 6; at both kinks the subgradient is 0."""
    _checked("hardsigmoid", input)
    y = ops.hardtanh(input / 6.0 + 0.5, min_val=0.0, max_val=1.0)
    return input.copy_(y) if inplace else y


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + exp(beta · x)) / beta; x itself where beta · x is over the threshold."""
    _checked("softplus", input)
    return ops.softplus(input, beta=beta, threshold=threshold)


def logsigmoid(input: Any) -> Any:
    """ln sigmoid(x), without overflow."""
    _checked("logsigmoid", input)
    return ops.logsigmoid(input)


def softsign(input: Any) -> Any:
    """x / (1 + |x|)."""
    _checked("softsign", input, "fiu")
    return input / (ops.abs(input) + 1)


def tanhshrink(input: Any) -> Any:
    """x − tanh x."""
    _checked("tanhshrink", input, "fiu")
    return input - ops.tanh(input)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """x where |x| > lambd, else 0; at ±lambd the subgradient is 0."""
    _checked("hardshrink", input)
    x = input._array
    return ops.keep(input, ~((x >= -lambd) & (x <= lambd)))


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x, nearer to 0 by lambd, or 0; at ±lambd the subgradient is 0. RuntimeError for lambd < 0."""
    _checked("softshrink", input)
    if not lambd >= 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return input - ops.clamp(input, min=-lambd, max=lambd)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where x > threshold, else value; at the threshold the subgradient is 0."""
    _checked("threshold", input, "fiu")
    x = input._array
    y = ops.where(~(x <= threshold), input, x.dtype.type(value).item())
    return input.copy_(y) if inplace else y


def glu(input: Any, dim: int = -1) -> Any:
    """a · sigmoid(b), the two halves of the input along dim (Dauphin et al. 2017).

    Raises RuntimeError for an odd number of elements there.
    """
    tensors("glu", input=input)
    shape = input._array.shape
    if not shape:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    d = axis("glu", len(shape), dim)
    if shape[d] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {d} is size {shape[d]}")
    _checked("glu", input)
    before = (slice(None),) * d
    half = shape[d] // 2
    a = ops.getitem(input, index=(*before, slice(half), ...))
    return a * ops.sigmoid(ops.getitem(input, index=(*before, slice(half, None), ...)))


def _dim(name: str, ndim: int, dim: Any, level: int) -> Any:
    """`dim`, or where it is not given the one that was once meant."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=level + 1,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """exp(x) / Σ exp(x) over dim. Without dim a warning, and axis 0 or 1 by the number of axes."""
    dim = _dim("softmax", input._array.ndim, dim, _stacklevel)
    return functions.softmax(input, dim, dtype)


def log_softmax(input: Any, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """The logarithm of softmax, computed without it; `dim` as there."""
    dim = _dim("log_softmax", input._array.ndim, dim, _stacklevel)
    return functions.log_softmax(input, dim, dtype)


def softmin(input: Any, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """softmax of −x; `dim` as there."""
    dim = _dim("softmin", input._array.ndim, dim, _stacklevel)
    return functions.softmax(-input, dim, dtype)


def gumbel_softmax(
    logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Any:
    """softmax((logits + Gumbel noise) / tau) over dim (Jang et al. 2017).

    With `hard` one-hot at the largest, with the gradient of the soft ones.
    """
    _checked("gumbel_softmax", logits)
    a = logits._array
    noise = random.source().gumbel(size=a.shape).astype(a.dtype)
    soft = functions.softmax((logits + wrap(noise)) / tau, dim)
    if not hard:
        return soft
    y = soft._array
    one_hot = np.zeros_like(y)
    if y.size:
        np.put_along_axis(one_hot, np.expand_dims(y.argmax(dim), dim), 1, dim)
    return wrap(one_hot) - soft.detach() + soft


def _writing(function: Any) -> Any:
    """The in-place form of an activation: with `inplace` taken as True, and not taken."""

    @functools.wraps(function)
    def written(input: Any, *args: Any, **kwargs: Any) -> Any:
        return function(input, *args, **kwargs, inplace=True)

    given = inspect.signature(function)
    kept = [p for name, p in given.parameters.items() if name != "inplace"]
    written.__signature__ = given.replace(parameters=kept)  # type: ignore[attr-defined]
    written.__name__ = written.__qualname__ = function.__name__ + "_"
    written.__doc__ = f"`{function.__name__}`, in the memory of the input, which it returns."
    return written


relu_, leaky_relu_, hardtanh_, rrelu_ = map(_writing, (relu, leaky_relu, hardtanh, rrelu))
elu_, celu_, selu_, threshold_ = map(_writing, (elu, celu, selu, threshold))
