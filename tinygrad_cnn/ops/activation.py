"""Activations. Each is one op: composed of several ops it would keep several arrays for backward."""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..engine import op
from ..engine.dtypes import floating
from .elementwise import clamp, exp, in_one_pass, keep, sigmoid, where
from .special import erf

__all__ = [
    "elu", "gelu", "hardswish", "hardtanh", "logsigmoid", "mish", "prelu", "silu", "softplus",
]  # fmt: skip


@op(elementwise=True, residuals=("positive",))
@in_one_pass
def prelu(x, weight):
    """y = x where x > 0, else w · x, for the weight w.

    x̄ = ȳ where x > 0, else ȳ · w        w̄ = 0 where x > 0, else ȳ · x

    At the kink x = 0 the slope is w. Saves one byte per element, and x only for w̄.
    """
    positive = x > 0
    return np.where(positive, x, x * weight), positive


prelu.defvjp(
    x=in_one_pass(lambda g, positive, weight: where(positive, g, g * weight)),
    weight=in_one_pass(lambda g, positive, x: keep(g * x, ~positive)),
)


@op
@in_one_pass
def elu(x, *, alpha, scale, rate):
    """y = s x where x > 0, else s α (e^{rx} − 1), for the scale s, α and the rate r.

    x̄ = ȳ · s where x > 0, else ȳ · s α r e^{rx}, also at x = 0. The vjp uses x, so that y may be
    written in place.
    """
    x = floating(x)
    return np.where(x <= 0, np.expm1(np.minimum(x, 0) * rate) * (alpha * scale), x * scale)


@in_one_pass
def elu_x(g, x, alpha, scale, rate):
    low = exp(where(x <= 0, x, 0.0) * rate) * (alpha * scale * rate)
    return g * where(x <= 0, low, scale)


elu.defvjp(x=elu_x)


@op(residuals=("inside",))
@in_one_pass
def hardtanh(x, *, min_val, max_val):
    """y = min(max(x, min_val), max_val)        x̄ = ȳ where min_val < x < max_val, else 0

    On either bound the subgradient is 0 (for `clamp` it is 1), as in PyTorch. Saves one byte per
    element, so that y may be written in place.
    """
    low, high = x.dtype.type(min_val), x.dtype.type(max_val)
    y = np.clip(x, low, high)
    return y, kernels.elementwise(kernels.between, y, low, high)


hardtanh.defvjp(x=lambda g, inside: keep(g, inside))


@op
@in_one_pass
def silu(x):
    """y = x σ(x)        x̄ = ȳ · σ(x) · (1 + x (1 − σ(x)))"""
    return x * sigmoid(x)


@in_one_pass
def silu_x(g, x):
    s = sigmoid(x)
    return g * (s * (1.0 + x * (1.0 - s)))


silu.defvjp(x=silu_x)


@op
@in_one_pass
def softplus(x, *, beta=1.0, threshold=math.inf):
    """y = x where βx > threshold, else ln(1 + e^{βx}) / β

    x̄ = ȳ where βx > threshold, else ȳ · σ(βx)

    ln(1 + eᶻ) = max(z, 0) + ln(1 + e^−|z|), where exp cannot overflow.
    """
    x = floating(x)
    z = x * x.dtype.type(beta)
    soft = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
    return np.where(z > threshold, x, soft / x.dtype.type(beta))


softplus.defvjp(
    x=in_one_pass(
        lambda g, x, beta, threshold: where(x * beta > threshold, g, g * sigmoid(x * beta))
    )
)


@op
@in_one_pass
def logsigmoid(x):
    """y = ln σ(x), as min(x, 0) − ln(1 + e^−|x|)        x̄ = ȳ · σ(−x)"""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


logsigmoid.defvjp(x=in_one_pass(lambda g, x: g * sigmoid(-x)))


@op
@in_one_pass
def mish(x):
    """y = x t        x̄ = ȳ · (t + x σ(x) (1 − t²))        t = tanh ln(1 + eˣ)

    One exponential e = eˣ is enough: (1 + e)² − 1 = e (e + 2) = n, so t = n / (n + 2), and, as
    1 − t = 2 / (n + 2), 1 + t = 2 (1 + e)² / (n + 2) and σ = e / (1 + e), σ (1 − t²) = 4 e (1 + e) / (n + 2)².
    For x > 22 (float16: 5.5) t is 1 and its slope 0 to rounding, and n could overflow: x is clamped.
    """
    e = np.exp(np.minimum(x, _TOP.get(x.dtype, 22.0)))
    return x * (e * (e + 2.0) / (e * (e + 2.0) + 2.0))


_TOP = {np.dtype(np.float16): 5.5}  # else 22


@in_one_pass
def mish_x(g, x):
    e = exp(x := clamp(x, min=None, max=_TOP.get(x.dtype, 22.0)))
    n = e * (e + 2.0)
    return g * ((n + x * (4.0 * e * ((1.0 + e) / (n + 2.0)))) / (n + 2.0))


mish.defvjp(x=mish_x)


@op
@in_one_pass
def hardswish(x):
    """y = x · min(max(x + 3, 0), 6) / 6        x̄ = 0 where x ≤ −3, ȳ where x ≥ 3, else ȳ · (x / 3 + 1/2)

    At the kink −3 the subgradient is 0, at 3 it is 1.
    """
    return x * (np.clip(x + 3, 0, 6) / 6)


hardswish.defvjp(
    x=in_one_pass(lambda g, x: where(x < 3.0, keep(g * (x / 3.0 + 0.5), x > -3.0), g)),
)


@op
@in_one_pass
def gelu(x, *, approximate):
    """y = x σ(u) where approximate = "tanh", else x Φ(x)

    x̄ = ȳ · (σ(u) + x v σ(u) (1 − σ(u))) where approximate = "tanh", else ȳ · (Φ(x) + x φ(x))

    Φ(x) = (1 + erf(x / √2)) / 2, and its derivative is φ(x) = e^{−x²/2} / √(2π). The approximation of
    Φ(x) (Hendrycks and Gimpel 2016) is (1 + tanh(u/2)) / 2 = σ(u), and v is the derivative of u:
    u = √(8/π) (x + 0.044715 x³)
    v = √(8/π) (1 + 0.134145 x²)
    """
    return x * _phi(x, approximate)


_K, _C = math.sqrt(2 / math.pi), 0.044715


def _phi(x, approximate):
    if approximate == "tanh":
        return sigmoid(2.0 * _K * x * (1.0 + _C * x * x))
    return 0.5 * erf(x * math.sqrt(0.5)) + 0.5


@in_one_pass
def gelu_x(g, x, approximate):
    x = clamp(x, min=-40.0, max=40.0)  # the slope is constant outside; x³ cannot overflow
    phi = _phi(x, approximate)
    if approximate == "tanh":
        slope = phi * (1.0 - phi) * (2.0 * _K + 6.0 * _K * _C * x * x)
    else:
        slope = exp(-0.5 * x * x) * (0.5 * _K)
    return g * (phi + x * slope)


gelu.defvjp(x=gelu_x)
