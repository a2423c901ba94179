"""The networks whose steps are measured, and a step."""

import numpy as np

import tinygrad_cnn as tc
from tinygrad_cnn import nn, optim


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip


class Block(nn.Module):
    """Two convolutions with batch norm, plus the input (He et al. 2016)."""

    def __init__(self, c, f, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c, f, 3, stride=stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(f, f, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(f), nn.BatchNorm2d(f)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Identity() if c == f else nn.Conv2d(c, f, 1, stride=stride, bias=False)

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += self.shortcut(x)
        return self.relu(y)


def resnet(width=16, blocks=2, around=lambda block: block):
    """A small ResNet-18 for images of 3 channels; `around` calls each block."""
    widths = [width] * blocks + [2 * width] * blocks
    layers = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    c = width
    for f in widths:
        layers.append(around(Block(c, f, 1 if c == f else 2)))
        c = f
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 10))


NETWORKS = {"LeNet-5": (lenet, (1, 28, 28)), "ResNet": (resnet, (3, 32, 32))}


def training_step(model, shape):
    """A call that makes a step of SGD with momentum on random images of that shape."""
    rng = np.random.default_rng(0)
    images = tc.from_numpy(rng.standard_normal(shape, dtype=np.float32))
    labels = tc.from_numpy(rng.integers(0, 10, shape[0]))
    optimizer = optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    criterion = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        criterion(model(images), labels).backward()
        optimizer.step()

    return step
