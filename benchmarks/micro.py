"""Each kernel alone, compared with the least possible time on this machine.

The least time of a case is the larger of two: the time of its multiply-adds at the speed of a large
matrix product, and the time to read its inputs and write its results once at the speed of a copy.
The share of the peak is the least time divided by the measured time. A case that fits in a cache,
or that needs fewer multiplications (Winograd), may have a share above 1.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .workloads import Run

F32 = 4  # bytes
FEW = 16  # filters
PRODUCT, COPIED = 1024, 1 << 24  # of the peaks: n of an n × n product, numbers in a copy
PEAKS: dict[str, tuple[str, dict[str, Any]]] = {
    "peak product": ("product", {"size": PRODUCT}), "peak copy": ("copy", {"size": COPIED}),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One call of a kernel, or of a workload of the whole library (`work` is then not "kernel")."""

    name: str
    work: str
    arguments: dict[str, Any]
    flops: float  # floating point operations, a multiply-add as two
    moved: float  # bytes read and written at least


def call(kernels: Any, function: str, case: tuple[Any, ...]) -> Run:
    """A call of the kernel, on random float32 arrays."""
    kernel = getattr(kernels, function)
    arguments = ARGUMENTS[function](kernels, np.random.default_rng(0), *case)

    def run() -> Any:
        y = kernel(*arguments)
        y = y[0] if isinstance(y, tuple) else y
        y = arguments[0][0][1][0] if y is None else y  # the first array of the first job
        return y[(0,) * y.ndim]

    return run


def _draw(rng: Any, *shape: int) -> Any:
    return rng.standard_normal(shape, dtype=np.float32)


def _conv(function: str) -> Callable[..., tuple[Any, ...]]:
    def arguments(
        kernels: Any, rng: Any, shape: Any, filters: int, k: int, s: int, groups: int
    ) -> Any:
        x, w = _draw(rng, *shape), _draw(rng, filters, shape[1] // groups, k, k)
        if filters <= FEW:  # the memory order after a convolution of many images with few channels
            x = np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)
        how = ((s, s), ((k // 2, k // 2),) * 2, (1, 1), groups)
        if function == "conv2d":
            return x, w, None, *how
        y = kernels.conv2d(x, w, None, *how)  # in the memory order that the kernels give it
        return (y, w, x.shape, *how) if function == "conv2d_input" else (y, x, w.shape, *how)

    return arguments


def _pool(function: str) -> Callable[..., tuple[Any, ...]]:
    def arguments(
        kernels: Any, rng: Any, shape: tuple[int, ...], k: int, last: int = 1
    ) -> tuple[Any, ...]:
        # in the memory orders that a convolution returns: channels (axis 1) or images (0) innermost
        x = np.moveaxis(
            _draw(rng, *(n for a, n in enumerate(shape) if a != last), shape[last]), 3, last
        )
        size, window = tuple(n // k for n in shape[2:]), ((k, k), (k, k), ((0, 0), (0, 0)))
        if function == "avg_pool2d":
            return x, *window, size, np.full(size, k * k, np.float32)
        if function == "avg_pool2d_input":
            y = kernels.avg_pool2d(x, *window, size, np.full(size, k * k, np.float32))
            return y, x.shape, *window, np.full(size, k * k, np.float32)
        if function == "max_pool2d":
            return x, *window, (1, 1), size
        y, taps = kernels.max_pool2d(x, *window, (1, 1), size)
        if function == "max_pool2d_positions":
            return taps, x.shape, *window, (1, 1)
        if function == "max_pool2d_scatter":
            return y, taps, x.shape, *window, (1, 1)
        return x, taps, *window, (1, 1)

    return arguments


def _matmul(kernels: Any, rng: Any, m: int, k: int, n: int) -> tuple[Any, ...]:
    return _draw(rng, m, k), _draw(rng, k, n)


def _elementwise(kernels: Any, rng: Any, name: str, *shape: int) -> tuple[Any, ...]:
    from tinygrad_cnn.ops.activation import gelu_x

    x, g, mask = _draw(rng, *shape), _draw(rng, *shape), rng.random(shape) < 0.5
    return {
        "relu": (np.maximum, x, 0), "gradient of relu": (kernels.rectified, g, x),
        "mask": (kernels.masked, x, mask), "sigmoid": (kernels.logistic, x),
        "tanh": (np.tanh, x), "exp": (np.exp, x), "log1p": (np.log1p, g * g), "erf": (kernels.erf, x),
        "gradient of GELU": (inspect.unwrap(gelu_x), g, x, "none"),
    }[name]  # fmt: skip


def _norm(function: str) -> Callable[..., tuple[Any, ...]]:
    def arguments(kernels: Any, rng: Any, *shape: int) -> tuple[Any, ...]:
        x, g = (_draw(rng, shape[0], *shape[2:], shape[1]).transpose(0, 3, 1, 2) for _ in "xg")
        of_class = [_draw(rng, 1, shape[1], 1, 1) for _ in range(5)]
        if function in ("sum_over", "moments"):
            return x, (0, 2, 3)
        if function == "moments_with":
            return g, x, of_class[0], (0, 2, 3)
        if function == "weight_sums":  # of layer norm over the channels of each pixel
            return g, x, *(_draw(rng, shape[0], 1, *shape[2:]) for _ in range(2)), (0, 2, 3)
        return (x, *of_class[:4]) if function == "normalize" else (g, x, *of_class)

    return arguments


def _softmax(function: str) -> Callable[..., tuple[Any, ...]]:
    def arguments(kernels: Any, rng: Any, rows: int, classes: int) -> tuple[Any, ...]:
        x, g = (_draw(rng, rows, classes) for _ in "xg")
        if function.startswith("cross_entropy"):
            labels = rng.integers(0, classes, rows), None, -100
            return (g[:, 0], x, *labels) if function.endswith("input") else (x, *labels)
        return (g, x, 1) if function.endswith("input") else (x, 1)

    return arguments


def _recurrent(function: str) -> Callable[..., tuple[Any, ...]]:
    kind = function.removesuffix("_input")

    def arguments(kernels: Any, rng: Any, steps: int, n: int, width: int) -> tuple[Any, ...]:
        x, (w_ih, w_hh) = (
            _draw(rng, steps * n, width),
            (_draw(rng, _GATES[kind] * width, width) / width for _ in "ih"),
        )
        states = [_draw(rng, n, width) for _ in range(2 if kind == "lstm" else 1)]
        how = ((n,) * steps, False, *[False] * (kind == "rnn"))
        given = (x, *states, w_ih, w_hh, None, None, *how)
        if function == kind:
            return given
        found = getattr(kernels, kind)(*given)
        if kind == "rnn":
            return _draw(rng, *found.shape), found, w_hh, *how
        y, gates, others = found
        if kind == "lstm":
            return _draw(rng, *y.shape), gates, others, states[1], w_hh, *how
        return _draw(rng, *y.shape), y, states[0], gates, others, w_hh, *how

    return arguments


_GATES = {"rnn": 1, "lstm": 4, "gru": 3}
_RECURRENT = tuple(name for kind in _GATES for name in (kind, f"{kind}_input"))
_CONVS = ("conv2d", "conv2d_input", "conv2d_weight")
_POOLS = {  # the least traffic of the large plane and the small one, in bytes per number
    "max_pool2d": (F32, F32 + 1), "max_pool2d_positions": (0, 8 + 1),
    "max_pool2d_scatter": (F32, F32 + 1), "max_pool2d_gather": (F32, F32 + 1),
    "avg_pool2d": (F32, F32), "avg_pool2d_input": (F32, F32),
}  # fmt: skip


def _momentum(arrays: Any, scratch: Any, numbers: Any) -> None:
    """SGD's step."""
    (p, g, v), (s,), (momentum, lr) = arrays, scratch, numbers
    np.multiply(v, momentum, out=v)
    np.add(v, g, out=v)
    np.multiply(v, lr, out=s)
    np.subtract(p, s, out=p)


def _blockwise(kernels: Any, rng: Any, *shape: int) -> tuple[Any, ...]:
    return ([(_momentum, [_draw(rng, *shape) for _ in "pgv"], 1, (0.9, 0.01))],)


# least traffic in bytes per number
_ELEMENTWISE = {
    **dict.fromkeys(("relu", "sigmoid", "tanh", "exp", "log1p", "erf"), 2 * F32),
    "gradient of relu": 3 * F32, "mask": 2 * F32 + 1, "gradient of GELU": 3 * F32,
}  # fmt: skip
_NORMS = {
    "sum_over": F32, "moments": F32, "moments_with": 2 * F32, "weight_sums": 2 * F32, "normalize": 2 * F32,
    "normalize_input": 3 * F32,
}  # fmt: skip
_SOFTMAXES = {
    "softmax": 2 * F32, "softmax_input": 3 * F32, "log_softmax": 2 * F32,
    "log_softmax_input": 3 * F32, "cross_entropy": F32, "cross_entropy_input": 2 * F32,
}  # fmt: skip
ARGUMENTS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "matmul": _matmul,
    "elementwise": _elementwise,
    **{name: _norm(name) for name in _NORMS},
    "blockwise": _blockwise,
    **{name: _softmax(name) for name in _SOFTMAXES},
    **{name: _recurrent(name) for name in _RECURRENT},
    **{name: _conv(name) for name in _CONVS},
    **{name: _pool(name) for name in _POOLS},
}

_LAYERS = {  # (N, C, H, W), filters, kernel, stride, groups
    "3x3, 64, 32²": ((16, 64, 32, 32), 64, 3, 1, 1),
    "3x3, 3 to 64, 32²": ((16, 3, 32, 32), 64, 3, 1, 1),
    "1x1, 64 to 256, 16²": ((16, 64, 16, 16), 256, 1, 1, 1),
    "5x5, 32, 16²": ((16, 32, 16, 16), 32, 5, 1, 1),
    "7x7 stride 2, 3 to 64, 64²": ((16, 3, 64, 64), 64, 7, 2, 1),
    "depthwise 3x3, 64, 32²": ((16, 64, 32, 32), 64, 3, 1, 64),
    "5x5, 6 to 16, 14²": ((256, 6, 14, 14), 16, 5, 1, 1),
}


def conv_size(
    shape: tuple[int, ...], filters: int, kernel: int, stride: int = 1, groups: int = 1
) -> tuple[float, float]:
    """Floating point operations of a convolution by its definition, and bytes of x, w and y."""
    N, C, H, W = shape
    y = N * filters * -(-H // stride) * -(-W // stride)
    w = filters * C // groups * kernel**2
    return 2.0 * y * w / filters, F32 * (prod(shape) + y + w)


def _cases() -> list[Case]:
    cases = []
    for m, k, n in ((64, 784, 256), (512, 512, 512)):
        arguments = {"function": "matmul", "case": (m, k, n)}
        moved = F32 * (m * k + k * n + m * n)
        cases.append(Case(f"matmul {m}, {k}, {n}", "kernel", arguments, 2.0 * m * k * n, moved))
    for function in _CONVS:
        for name, (shape, filters, k, s, groups) in _LAYERS.items():
            arguments = {"function": function, "case": (shape, filters, k, s, groups)}
            size = conv_size(shape, filters, k, s, groups)
            cases.append(Case(f"{function} {name}", "kernel", arguments, *size))
    shape = (32, 64, 32, 32)
    for function, (large, small) in _POOLS.items():
        for name, last in (("2x2", 1), ("2x2, images innermost", 0)):
            arguments = {"function": function, "case": (shape, 2, last)}
            moved = prod(shape) * (large + small / 4)
            cases.append(Case(f"{function} {name}", "kernel", arguments, 0, moved))
    for name, moved in _ELEMENTWISE.items():
        arguments = {"function": "elementwise", "case": (name, *shape)}
        cases.append(Case(name, "kernel", arguments, 0, prod(shape) * moved))
    for function, moved in {**_NORMS, "blockwise": 5 * F32}.items():
        arguments = {"function": function, "case": shape}
        cases.append(Case(function, "kernel", arguments, 0, prod(shape) * moved))
    for function, moved in _SOFTMAXES.items():
        arguments = {"function": function, "case": (4096, 512)}
        cases.append(Case(function, "kernel", arguments, 0, 4096 * 512 * moved))
    for function in _RECURRENT:
        arguments = {"function": function, "case": (50, 32, 128)}
        gates = _GATES[function.removesuffix("_input")]
        products = 1 if function.endswith("input") else 2  # the weights of x serve forward alone
        flops = 2.0 * 50 * 32 * gates * 128**2 * products
        cases.append(Case(function, "kernel", arguments, flops, 0))
    # x is read and y written; then g and x or y are read and the gradient of x written
    for name, its in (("ReLU", ()), ("GELU", ()), ("SiLU", ()), ("Mish", ()), ("BatchNorm2d", (64,)), ("Softmax", (1,)),
                      ("LayerNorm", (32,))):  # fmt: skip
        arguments = {"name": name, "arguments": its, "shape": shape}
        cases.append(Case(f"{name}, both ways", "layer", arguments, 0, 5 * F32 * prod(shape)))
    arguments = {"batch": 4096, "classes": 1000}  # as above, but that y and g are one number
    cases.append(Case("cross_entropy, both ways", "cross_entropy", arguments, 0, 3 * F32 * 4096e3))
    million = 1 << 20
    for name, options, moved in (("SGD", {"lr": 0.1, "momentum": 0.9}, 5), ("Adam", {}, 7)):
        arguments = {"name": name, "sizes": (million,) * 4 + (64,) * 60, "options": options}
        cases.append(
            Case(f"{name} step", "optimizer_step", arguments, 0, moved * F32 * 4 * million)
        )
    return cases


CASES = _cases()


@dataclass(frozen=True)
class Share:
    """The speed of a case and its share of the machine's peak in the same run."""

    gflops: float
    gbytes: float
    share: float
    bound: str


def least(flops: float, moved: float, product: float, copy: float) -> tuple[float, str]:
    """Seconds that this work takes at the machine's peaks, and the peak that limits it.

    `product` and `copy` are the seconds of the product of PRODUCT² and of the copy of COPIED numbers.
    """
    compute = flops * product / (2.0 * PRODUCT**3)
    memory = moved * copy / (2.0 * F32 * COPIED)
    return max(compute, memory), "matmul" if compute > memory else "copy"


def share(case: Case, seconds: float, product: float, copy: float) -> Share:
    """Make it from the measured seconds and the least seconds."""
    best, bound = least(case.flops, case.moved, product, copy)
    rates = case.flops / seconds / 1e9, case.moved / seconds / 1e9
    return Share(*rates, best / seconds, bound)
