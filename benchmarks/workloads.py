"""The code that is timed. It runs on any library with PyTorch's API, so all do the same work.

A workload is a function of a library `t` (tinygrad_cnn or torch) that prepares and returns a call.
The first call returns a number that must be equal for all contestants, which proves that they do
the same.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import numpy as np

from . import networks

Run = Callable[[], Any]


def chain(t: Any, length: int = 2000, size: int = 8, parameters: bool = False) -> Run:
    """`length` additions and multiplications of tensors (size,): forward, backward and release.

    With `parameters` the factors and the terms require grad too.
    """
    x = t.ones(size, requires_grad=True)
    w = t.full((size,), 1.0001, requires_grad=parameters)
    b = t.full((size,), 1e-4, requires_grad=parameters)

    def run() -> Any:
        x.grad = w.grad = b.grad = None
        y = x
        for _ in range(length // 2):
            y = y * w
            y = y + b
        y.sum().backward()
        return x.grad.sum()

    return run


def examples(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs of shape (N, …), float32, and labels (N,) of ten classes, int64."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(shape, dtype=np.float32), rng.integers(0, 10, shape[0])


def initial(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Initial parameters, float32: weights from U(±1/√fan_in), and zeros for vectors (biases)."""
    rng = np.random.default_rng(1)

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        bound = 1 / sqrt(prod(shape[1:]))
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    return [draw(s) if len(s) > 1 else np.zeros(s, np.float32) for s in shapes]


def training_step(
    t: Any, model: str, shape: tuple[int, ...], options: dict[str, Any] | None = None,
    channels_last: bool = False, wrap: Callable[[Any], Any] = lambda model: model,
) -> Run:  # fmt: skip
    """A step of SGD with momentum on random images: forward, loss, backward, update.

    `model` names a function of `networks`, `options` are its arguments, `shape` is that of the
    images. `wrap` is applied to the network (torch.compile). The call returns the loss.
    """
    net = networks.named(t, model, **(options or {}))
    drawn = [(n, p) for n, p in net.named_parameters() if p.ndim > 1 or n.endswith("bias")]
    with t.no_grad():
        values = initial([tuple(p.shape) for _, p in drawn])
        for (_, p), value in zip(drawn, values, strict=True):
            p.copy_(t.tensor(value))
    images, labels = map(t.tensor, examples(shape))
    if channels_last:
        net = net.to(memory_format=t.channels_last)
        images = images.to(memory_format=t.channels_last)
    criterion = t.nn.CrossEntropyLoss()
    optimizer = t.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
    net = wrap(net)

    def run() -> Any:
        optimizer.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return run


def step_cost(model: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Floating point operations of the matrix products of a step, by definition; and 0 bytes.

    Each layer has three products of equal size. The first has two: its input needs no gradient.
    """
    import tinygrad_cnn as t

    two = t.zeros(2, *shape[1:])
    counts = [row.multiply_adds for row in t.nn.summary(networks.named(t, model), two).rows]
    first = next(filter(None, counts))
    return (3 * sum(counts) - first) * float(shape[0]), 0.0  # 2 operations each, for 2 images


def conv_layer(
    t: Any, shape: tuple[int, ...], filters: int, kernel: int, stride: int = 1, groups: int = 1,
    channels_last: bool = False,
) -> Run:  # fmt: skip
    """Forward and backward of one convolution, the gradient of its input included.

    The cotangent has the memory order of the output, as the next layer would leave it.
    """
    rng = np.random.default_rng(0)
    images = rng.standard_normal(shape, dtype=np.float32)
    if channels_last:
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    x, shape_of_w = t.from_numpy(images), (filters, shape[1] // groups, kernel, kernel)
    w = t.tensor(rng.standard_normal(shape_of_w, dtype=np.float32))
    if channels_last:
        w = w.to(memory_format=t.channels_last)
    x.requires_grad_(), w.requires_grad_()

    def forward() -> Any:
        return t.nn.functional.conv2d(x, w, stride=stride, padding=kernel // 2, groups=groups)

    with t.no_grad():  # detach() would change the memory order to row-major
        g = forward() * 0 + 1

    def run() -> Any:
        x.grad = w.grad = None
        y = forward()
        y.backward(g)
        return w.grad[0, 0, 0, 0]

    return run


def layer(
    t: Any, name: str, arguments: tuple[Any, ...], shape: tuple[int, ...],
    channels_last: bool = False,
) -> Run:  # fmt: skip
    """Forward and backward of a module of `nn` that keeps the shape, with the input's gradient."""
    rng = np.random.default_rng(0)
    x, g = (t.tensor(rng.standard_normal(shape, dtype=np.float32)) for _ in range(2))
    if channels_last:
        x, g = (v.to(memory_format=t.channels_last) for v in (x, g))
    x.requires_grad_()
    module = getattr(t.nn, name)(*arguments)

    def run() -> Any:
        x.grad = None
        module(x).backward(g)
        return x.grad[0, 0, 0, 0]

    return run


def recurrent_layer(t: Any, name: str, steps: int, batch: int, width: int) -> Run:
    """Forward and backward of a recurrent layer of `nn`, from the input and the weights on.

    Input and states have that width.
    """
    rng = np.random.default_rng(0)
    x, g = (t.tensor(rng.standard_normal((steps, batch, width), dtype=np.float32)) for _ in "xg")
    x.requires_grad_()
    module = getattr(t.nn, name)(width, width)
    with t.no_grad():
        for p in module.parameters():
            bound = 1 / sqrt(width)
            p.copy_(t.tensor(rng.uniform(-bound, bound, tuple(p.shape)).astype(np.float32)))

    def run() -> Any:
        x.grad = None
        for p in module.parameters():
            p.grad = None
        y, _ = module(x)
        y.backward(g)
        return x.grad[0, 0, 0] + module.weight_hh_l0.grad[0, 0]

    return run


def cross_entropy(t: Any, batch: int, classes: int) -> Run:
    """The cross-entropy of logits (batch, classes), and their gradient."""
    rng = np.random.default_rng(0)
    logits = t.tensor(rng.standard_normal((batch, classes), dtype=np.float32)).requires_grad_()
    labels = t.tensor(rng.integers(0, classes, batch))

    def run() -> Any:
        logits.grad = None
        loss = t.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        return loss

    return run


def optimizer_step(t: Any, name: str, sizes: tuple[int, ...], options: dict[str, Any]) -> Run:
    """A step of an optimizer over parameters of these sizes, whose gradients are given."""
    parameters = [t.nn.Parameter(t.ones(size)) for size in sizes]
    for p in parameters:
        p.grad = t.ones(p.shape)
    optimizer = getattr(t.optim, name)(parameters, **options)

    def run() -> Any:
        optimizer.step()
        return parameters[0][0]

    return run


def long_chain(t: Any, length: int = 100_000) -> Any:
    """The end of a chain of `length` ops."""
    y = t.ones(1, requires_grad=True)
    for _ in range(length):
        y = y.tanh()
    return y


def tangle(t: Any, length: int = 70_000, near: int = 20) -> Any:
    """The end of an irregular graph: each op takes random ones of the last `near` results."""
    rng = np.random.default_rng(0)
    results = [t.ones(3, requires_grad=True) for _ in range(near)]
    choices = rng.integers(0, near, (length, 2)).tolist()
    kinds = rng.integers(0, 4, length).tolist()
    for (i, j), kind in zip(choices, kinds, strict=True):
        a, b = results[i], results[j]
        if kind < 2:
            results[i] = a.sin() if kind else a.tanh()
        else:
            results[i] = a * b if kind == 2 else (a + b) * 0.5
    total = results[0]
    for y in results[1:]:
        total = total + y
    return total
