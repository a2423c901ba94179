"""What is timed: code that runs on any library with PyTorch's API, so that all do the same work.

A row is a function of a library `t` (tinygrad_cnn or torch) that prepares and returns a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Run = Callable[[], object]


def chain(t: Any, length: int = 2000, size: int = 8, parameters: bool = False) -> Run:
    """`length` additions and multiplications of small tensors, forward and backward."""
    x = t.ones(size, requires_grad=True)
    w = t.full((size,), 1.0001, requires_grad=parameters)
    b = t.full((size,), 1e-4, requires_grad=parameters)

    def run() -> None:
        y = x
        for _ in range(length // 2):
            y = y * w
            y = y + b
        y.sum().backward()

    return run


def long_chain(t: Any, length: int = 100_000) -> Any:
    """What a chain of so many ops ends with."""
    y = t.ones(1, requires_grad=True)
    for _ in range(length):
        y = y.tanh()
    return y


def tangle(t: Any, length: int = 70_000, near: int = 20) -> Any:
    """The end of a graph of ops that take any of the last few results, in no regular way."""
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


def training_step(t: Any, model: Any, shape: tuple[int, ...], channels_last: bool = False) -> Run:
    """One step of SGD with momentum on random images: forward, loss, backward, update."""
    rng = np.random.default_rng(0)
    images = t.tensor(rng.standard_normal(shape, dtype=np.float32))
    labels = t.tensor(rng.integers(0, 10, shape[0]))
    if channels_last:
        model = model.to(memory_format=t.channels_last)
        images = images.to(memory_format=t.channels_last)
    criterion = t.nn.CrossEntropyLoss()
    optimizer = t.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

    def run() -> None:
        optimizer.zero_grad()
        criterion(model(images), labels).backward()
        optimizer.step()

    return run


def mlp(nn: Any) -> Any:
    """784-256-128-10."""
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def lenet(nn: Any) -> Any:
    """LeNet-5 for 28 × 28 images."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def resnet(nn: Any, width: int = 64, blocks: int = 2) -> Any:
    """ResNet-18 for 32 × 32 images (a 3 × 3 stem)."""

    class Block(nn.Module):
        def __init__(self, c: int, f: int, stride: int):
            super().__init__()
            self.conv1 = nn.Conv2d(c, f, 3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(f)
            self.conv2 = nn.Conv2d(f, f, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(f)
            self.relu = nn.ReLU(inplace=True)
            self.shortcut = nn.Sequential()
            if stride != 1 or c != f:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(c, f, 1, stride=stride, bias=False), nn.BatchNorm2d(f)
                )

        def forward(self, x: Any) -> Any:
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.bn2(self.conv2(out))
            out += self.shortcut(x)
            return self.relu(out)

    layers = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    c = width
    for k in range(4):
        for b in range(blocks):
            f = width * 2**k
            layers.append(Block(c, f, 2 if k and not b else 1))
            c = f
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10))


def conv_layer(
    t: Any, shape: tuple[int, ...], filters: int, kernel: int, stride: int = 1, groups: int = 1,
    channels_last: bool = False,
) -> Run:  # fmt: skip
    """Forward and backward of one convolution, with the gradient of its input."""
    rng = np.random.default_rng(0)
    x = t.tensor(rng.standard_normal(shape, dtype=np.float32))
    w = t.tensor(
        rng.standard_normal((filters, shape[1] // groups, kernel, kernel), dtype=np.float32)
    )
    if channels_last:
        x, w = (v.to(memory_format=t.channels_last) for v in (x, w))
    x.requires_grad_(), w.requires_grad_()
    y = t.nn.functional.conv2d(x, w, stride=stride, padding=kernel // 2, groups=groups)
    g = y.detach() * 0 + 1

    def run() -> None:
        x.grad = w.grad = None
        y = t.nn.functional.conv2d(x, w, stride=stride, padding=kernel // 2, groups=groups)
        y.backward(g)

    return run


CONV_LAYERS = {
    "3x3, 3 to 64, 32²": ((16, 3, 32, 32), 64, 3),
    "3x3, 64, 32²": ((16, 64, 32, 32), 64, 3),
    "3x3, 128, 16²": ((16, 128, 16, 16), 128, 3),
    "3x3, 256, 8²": ((16, 256, 8, 8), 256, 3),
    "1x1, 64 to 256, 16²": ((16, 64, 16, 16), 256, 1),
    "5x5, 32, 16²": ((16, 32, 16, 16), 32, 5),
    "7x7 stride 2, 3 to 64, 64²": ((16, 3, 64, 64), 64, 7, 2),
    "depthwise 3x3, 64, 32²": ((16, 64, 32, 32), 64, 3, 1, 64),
    "grouped 3x3, 128 by 8, 16²": ((16, 128, 16, 16), 128, 3, 1, 8),
}
