"""Make every picture of docs/pictures.md: networks, their costs, and their training.

python examples/gallery.py --out docs/pictures
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np
from networks import LeNet, ResNet, UNet
from sklearn.datasets import load_digits, make_moons
from worked_examples import EXAMPLES, chain, convolution

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn, optim
from tinygrad_cnn.utils.data import DataLoader, TensorDataset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Saved = (
    visualize.Picture | visualize.Difference | visualize.Film | visualize.Health | visualize.ByHand
)
ROOT = Path(__file__).parents[1]
TRACES = 5  # runs of a model; the quickest is drawn, since the first one compiles its ops


class DigitNet(nn.Module):
    """Images (N, 1, 8, 8) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1)
        self.fc = nn.Linear(16 * 4 * 4, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.conv1(images))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def digits(epochs: int) -> tuple[DigitNet, visualize.History, torch.Tensor]:
    """A DigitNet trained on scikit-learn's digits, its History, and the images (1797, 1, 8, 8)."""
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
    """The film of a small network that learns to separate two moons."""
    points, classes = make_moons(200, noise=0.1, random_state=0)
    x, labels = torch.tensor(points, dtype=torch.float32), torch.tensor(classes.astype(np.int64))
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2))
    film = visualize.Film(model, x, labels)
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    for step in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        if step % 8 == 0:
            film.frame(loss=loss)
        optimizer.step()
    return film


def traced(
    model: nn.Module, x: torch.Tensor, labels: torch.Tensor, **look: Unpack[visualize.Look]
) -> visualize.Picture:
    """`visualize.trace` of the quickest of several runs."""

    def loss(logits: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits, labels)

    def seconds(run: visualize.Picture) -> float:
        return sum(row.time for row in run.table().rows)

    return min((visualize.trace(model, x, loss=loss, **look) for _ in range(TRACES)), key=seconds)


def relative(picture: visualize.Picture) -> visualize.Picture:
    """The picture with source lines relative to the repository, not to a folder of this machine."""
    for node in picture.graph.nodes:
        node.line = node.line.removeprefix(f"{ROOT}{os.sep}")
    return picture


def main(argv: Sequence[str] | None = None) -> list[Path]:
    """Make the pictures, and return their paths."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("pictures"), help="folder to write to")
    parser.add_argument("--epochs", type=int, default=6, help="epochs of training on the digits")
    parser.add_argument("--steps", type=int, default=120, help="training steps in the film")
    parser.add_argument("--pages", action="store_true", help="also write HTML pages")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []

    def save(picture: Saved | Figure, name: str) -> None:
        made.append(options.out / name)
        if isinstance(picture, Saved):
            if isinstance(picture, visualize.Picture):
                relative(picture)
            picture.save(made[-1])
        else:
            picture.savefig(made[-1], dpi=72)

    torch.manual_seed(0)
    images, labels = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    lenet = LeNet()
    loss = F.cross_entropy(lenet(images), labels)
    names = {"images": images, "labels": labels, "loss": loss}
    save(visualize.draw(loss, lenet, names=names), "lenet.svg")
    save(visualize.draw(loss, lenet, names=names, heat="bytes", phase="both"), "lenet-both.svg")
    save(traced(lenet, images, labels, heat="time", phase="backward"), "lenet-backward.svg")

    save(visualize.draw(loss, lenet, names=names, layout="slide"), "lenet-slide.svg")
    lenet.fc2 = nn.Linear(121, 84)  # a mistake
    try:
        lenet(images)
    except RuntimeError as error:
        save(visualize.explain(error, layout="slide"), "explain.svg")
    lenet = LeNet()

    small = torch.randn(4, 3, 64, 64), torch.randint(0, 10, (4,))
    resnet = ResNet()
    save(traced(resnet, *small, heat="time", depth=1), "resnet18.svg")
    save(visualize.trace(resnet, *small[:1], layout="page"), "resnet18-page.svg")
    deep = ResNet((3, 4, 6, 3))
    loss = F.cross_entropy(deep(small[0]), small[1])
    names = {"images": small[0], "labels": small[1], "loss": loss}
    save(visualize.draw(loss, deep, names=names, depth=1, show="shapes"), "resnet34.svg")

    unet = UNet()
    x = torch.randn(2, 1, 32, 32)
    save(visualize.trace(unet, x, loss=lambda y: y.sigmoid().mean(), depth=0), "unet.svg")
    save(visualize.trace(unet, x, layout="slide", show="shapes"), "unet-slide.svg")
    before = DigitNet()
    after = DigitNet()
    after.conv2 = nn.Sequential(nn.Conv2d(16, 24, 3, padding=1), nn.BatchNorm2d(24))
    after.fc = nn.Linear(24 * 4 * 4, 10)
    x = torch.randn(8, 1, 8, 8)
    save(visualize.diff(visualize.trace(before, x), visualize.trace(after, x)), "diff.svg")

    model, history, digit_images = digits(options.epochs)
    save(visualize.filters(model.conv1), "filters.png")
    digits_names = [str(k) for k in range(10)]
    save(visualize.activations(model, digit_images[:1], classes=digits_names), "activations.png")
    save(history.plot("loss", "accuracy", "gradient norm", "update ratio"), "history.png")
    save(visualize.trace(model, digit_images[:64]).health(history), "health.svg")
    film = moons(options.steps)
    save(film, "training.gif")
    save(chain(), "hand-chain.svg")
    save(convolution(), "hand-convolution.svg")
    if options.pages:
        for name, example in EXAMPLES.items():
            save(example(), f"hand-{name}.html")
        save(film, "training.html")
        save(traced(lenet, torch.randn(64, 1, 28, 28), labels), "lenet.html")
        save(traced(resnet, *small), "resnet18.html")
    return made


if __name__ == "__main__":
    for file in main():
        print(file)
