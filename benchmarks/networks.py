"""The networks that are timed, written for any library `t` with PyTorch's API.

They take images (N, 3, 32, 32), LeNet-5 images (N, 1, 28, 28) and the MLP vectors (N, 784). All
return logits (N, 10).
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def mlp(t: Any) -> Any:
    """A multilayer perceptron, 784-256-128-10."""
    nn = t.nn
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def lenet(t: Any) -> Any:
    """LeNet-5 for 28 × 28 images."""
    nn = t.nn
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


def _head(nn: Any, c: int) -> list[Any]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10)]


def _conv_bn(nn: Any, c: int, f: int, k: int = 3, stride: int = 1, groups: int = 1) -> list[Any]:
    conv = nn.Conv2d(c, f, k, stride=stride, padding=k // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(f)]


def resnet(t: Any, width: int = 64, blocks: int = 2, checkpointed: bool = False) -> Any:
    """ResNet (He et al. 2016) with a 3 × 3 stem; two `blocks` of each width make it ResNet-18.

    With `checkpointed` the backward pass recomputes each block.
    """
    nn = t.nn
    checkpoint = importlib.import_module(f"{t.__name__}.utils.checkpoint").checkpoint

    class Block(nn.Module):
        def __init__(self, c: int, f: int, stride: int):
            super().__init__()
            self.conv1, self.bn1 = _conv_bn(nn, c, f, stride=stride)
            self.conv2, self.bn2 = _conv_bn(nn, f, f)
            self.relu = nn.ReLU(inplace=True)
            same = stride == 1 and c == f
            self.shortcut = nn.Sequential(*([] if same else _conv_bn(nn, c, f, 1, stride)))

        def forward(self, x: Any) -> Any:
            return checkpoint(self.run, x, use_reentrant=False) if checkpointed else self.run(x)

        def run(self, x: Any) -> Any:
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.bn2(self.conv2(out))
            out += self.shortcut(x)
            return self.relu(out)

    layers, c = [*_conv_bn(nn, 3, width), nn.ReLU()], width
    for k in range(4):
        for b in range(blocks):
            f = width * 2**k
            layers.append(Block(c, f, 2 if k and not b else 1))
            c = f
    return nn.Sequential(*layers, *_head(nn, c))


def vgg(t: Any, width: int = 64) -> Any:
    """VGG-11 (Simonyan and Zisserman 2015) with batch norm and one linear layer."""
    nn = t.nn
    layers, c = [], 3
    for step in (1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M"):
        if isinstance(step, str):
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [*_conv_bn(nn, c, width * step), nn.ReLU(inplace=True)]
            c = width * step
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(c, 10))


def densenet(t: Any, growth: int = 12, layers: int = 6) -> Any:
    """DenseNet-BC (Huang et al. 2017): three blocks; channels and sides are halved between them."""
    nn = t.nn

    class Dense(nn.Module):
        def __init__(self, c: int):
            super().__init__()
            self.bn1, self.conv1 = nn.BatchNorm2d(c), nn.Conv2d(c, 4 * growth, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(4 * growth)
            self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            out = self.conv1(self.relu(self.bn1(x)))
            return t.cat([x, self.conv2(self.relu(self.bn2(out)))], 1)

    c = 2 * growth
    net = [nn.Conv2d(3, c, 3, padding=1, bias=False)]
    for block in range(3):
        if block:
            net += [nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c // 2, 1, bias=False)]
            net.append(nn.AvgPool2d(2))
            c //= 2
        for _ in range(layers):
            net.append(Dense(c))
            c += growth
    return nn.Sequential(*net, nn.BatchNorm2d(c), nn.ReLU(), *_head(nn, c))


def mobilenet(t: Any, width: int = 16) -> Any:
    """A short MobileNetV2 (Sandler et al. 2018): inverted residuals with expansion 6."""
    nn = t.nn

    class Inverted(nn.Module):
        def __init__(self, c: int, f: int, stride: int):
            super().__init__()
            inner = 6 * c
            self.net = nn.Sequential(
                *_conv_bn(nn, c, inner, 1),
                nn.ReLU6(),
                *_conv_bn(nn, inner, inner, 3, stride, groups=inner),
                nn.ReLU6(),
                *_conv_bn(nn, inner, f, 1),
            )
            self.same = stride == 1 and c == f

        def forward(self, x: Any) -> Any:
            return x + self.net(x) if self.same else self.net(x)

    layers, c = [*_conv_bn(nn, 3, width), nn.ReLU6()], width
    for k, repeats in enumerate((2, 3, 3)):
        for b in range(repeats):
            f = width * (1 + k)
            layers.append(Inverted(c, f, 2 if k and not b else 1))
            c = f
    return nn.Sequential(*layers, *_conv_bn(nn, c, 8 * width, 1), nn.ReLU6(), *_head(nn, 8 * width))


def plain(t: Any, depth: int = 4, width: int = 16) -> Any:
    """`depth` 3 × 3 convolutions, each with its ReLU."""
    nn = t.nn
    layers, c = [], 3
    for _ in range(depth):
        layers += [nn.Conv2d(c, width, 3, padding=1), nn.ReLU()]
        c = width
    return nn.Sequential(*layers, *_head(nn, c))


def named(t: Any, name: str, **options: Any) -> Any:
    """The network of the library `t` that the function `name` of this file makes."""
    return getattr(sys.modules[__name__], name)(t, **options)
