"""Make every picture of docs/pictures.md: networks, what they cost, how they learn.

python examples/gallery.py --out docs/pictures
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, make_moons

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn, optim
from tinygrad_cnn.utils.data import DataLoader, TensorDataset


class LeNet(nn.Module):
    """LeNet-5: images (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, images):
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class Block(nn.Module):
    """The residual block of ResNet-18 and -34: c to f channels."""

    def __init__(self, c: int, f: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c, f, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(f)
        self.conv2 = nn.Conv2d(f, f, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(f)
        self.downsample = None
        if stride != 1 or c != f:
            self.downsample = nn.Sequential(
                nn.Conv2d(c, f, 1, stride=stride, bias=False), nn.BatchNorm2d(f)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y)


class ResNet(nn.Module):
    """ResNet: images (N, 3, H, W) to logits (N, 10). Blocks 2, 2, 2, 2 make it ResNet-18."""

    def __init__(self, blocks: Sequence[int] = (2, 2, 2, 2), width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        c = width
        for k, n in enumerate(blocks):
            f = width * 2**k
            strides = [2 if k else 1] + [1] * (n - 1)
            layer = [Block(c if b == 0 else f, f, stride) for b, stride in enumerate(strides)]
            setattr(self, f"layer{k + 1}", nn.Sequential(*layer))
            c = f
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(c, 10)

    def forward(self, images):
        x = self.maxpool(F.relu(self.bn1(self.conv1(images))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class Twice(nn.Module):
    """Two convolutions, each with batch norm and ReLU: c to f channels."""

    def __init__(self, c: int, f: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c, f, 3, padding=1, bias=False), nn.BatchNorm2d(f)
        self.conv2, self.bn2 = nn.Conv2d(f, f, 3, padding=1, bias=False), nn.BatchNorm2d(f)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class Up(nn.Module):
    """Twice as high and wide: every pixel stands for four."""

    def forward(self, x):
        n, c, h, w = x.shape
        x = x.reshape(n, c, h, 1, w, 1).expand(n, c, h, 2, w, 2)
        return x.reshape(n, c, 2 * h, 2 * w)


class UNet(nn.Module):
    """A small U-Net: images (N, 1, H, W) to a mask's logits (N, 1, H, W)."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.down1, self.down2 = Twice(1, width), Twice(width, 2 * width)
        self.bottom = Twice(2 * width, 4 * width)
        self.up2, self.join2 = Up(), Twice(6 * width, 2 * width)
        self.up1, self.join1 = Up(), Twice(3 * width, width)
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, images):
        a = self.down1(images)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.bottom(F.max_pool2d(b, 2))
        b = self.join2(torch.cat([self.up2(c), b], dim=1))
        a = self.join1(torch.cat([self.up1(b), a], dim=1))
        return self.head(a)


class DigitNet(nn.Module):
    """Images (N, 1, 8, 8) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1)
        self.fc = nn.Linear(16 * 4 * 4, 10)

    def forward(self, images):
        x = F.relu(self.conv1(images))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def digits(epochs: int):
    """A DigitNet trained on scikit-learn's digits, its History, and the images."""
    data = load_digits()
    images = torch.tensor(data.images[:, None] / 16, dtype=torch.float32)
    loader = DataLoader(TensorDataset(images, torch.tensor(data.target)), 64, shuffle=True)
    model, history = DigitNet(), visualize.History()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        for x, labels in loader:
            optimizer.zero_grad()
            logits = model(x)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            right = (logits.argmax(1) == labels).float().mean()
            history.step(loss=loss, accuracy=right, model=model)
            optimizer.step()
    return model, history, images


def moons(steps: int) -> visualize.Film:
    """The film of a small network that learns to tell two moons apart."""
    x, labels = make_moons(200, noise=0.1, random_state=0)
    x, labels = torch.tensor(x, dtype=torch.float32), torch.tensor(labels.astype(np.int64))
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2))
    film = visualize.Film(model)
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    for step in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        if step % 5 == 0:
            film.frame(loss=loss)
        optimizer.step()
    return film


def measured(model, x, labels, **how) -> visualize.Picture:
    """`visualize.trace` of the quickest of a few runs: the first compiles what it uses."""

    def loss(y):
        return F.cross_entropy(y, labels)

    runs = [visualize.trace(model, x, loss=loss, **how) for _ in range(5)]
    return min(runs, key=lambda run: sum(node.measured.forward for _, node in run.graph.ops()))


def main(argv: Sequence[str] | None = None) -> list[Path]:
    """Make them all; returns the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("pictures"), help="the folder")
    parser.add_argument("--epochs", type=int, default=6, help="that the digits are trained for")
    parser.add_argument("--steps", type=int, default=120, help="that the film lasts")
    parser.add_argument("--pages", action="store_true", help="the pages (HTML) too")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []

    def save(picture, name: str) -> None:
        made.append(options.out / name)
        if hasattr(picture, "savefig"):
            picture.savefig(made[-1], dpi=80)
        else:
            picture.save(made[-1])

    torch.manual_seed(0)
    images, labels = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    lenet = LeNet()
    loss = F.cross_entropy(lenet(images), labels)
    names = {"images": images, "labels": labels, "loss": loss}
    save(visualize.draw(loss, lenet, names=names), "lenet.svg")
    save(visualize.draw(loss, lenet, names=names, heat="bytes", phase="both"), "lenet-both.svg")
    save(measured(lenet, images, labels, heat="time", phase="backward"), "lenet-backward.svg")

    small = torch.randn(4, 3, 64, 64), torch.randint(0, 10, (4,))
    resnet = ResNet()
    save(measured(resnet, *small, heat="time", depth=1), "resnet18.svg")
    deep = ResNet((3, 4, 6, 3))
    loss = F.cross_entropy(deep(small[0]), small[1])
    names = {"images": small[0], "labels": small[1], "loss": loss}
    save(visualize.draw(loss, deep, names=names, depth=1, show=("shapes",)), "resnet34.svg")

    unet = UNet()
    x = torch.randn(2, 1, 32, 32)
    save(visualize.trace(unet, x, loss=lambda y: y.sigmoid().mean(), depth=0), "unet.svg")
    before = DigitNet()
    after = DigitNet()
    after.conv2 = nn.Sequential(nn.Conv2d(16, 24, 3, padding=1), nn.BatchNorm2d(24))
    after.fc = nn.Linear(24 * 4 * 4, 10)
    x = torch.randn(8, 1, 8, 8)
    save(visualize.diff(visualize.trace(before, x), visualize.trace(after, x)), "diff.svg")

    model, history, images = digits(options.epochs)
    save(visualize.filters(model.conv1), "filters.png")
    save(visualize.activations(model, images[:1]), "activations.png")
    save(history.plot(), "history.png")
    film = moons(options.steps)
    save(film, "training.gif")
    if options.pages:
        save(film, "training.html")
        save(measured(lenet, torch.randn(64, 1, 28, 28), labels), "lenet.html")
        save(measured(resnet, *small), "resnet18.html")
    return made


if __name__ == "__main__":
    for file in main():
        print(file)
