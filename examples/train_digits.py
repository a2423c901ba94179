"""Train a small CNN on the 1,797 handwritten digits of scikit-learn, and draw its graph.

python examples/train_digits.py                 # about 20 seconds, at least 98 % on the test set
python examples/train_digits.py --epochs 2 --out /tmp/digits.svg
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn, optim
from tinygrad_cnn.utils.data import DataLoader, TensorDataset

TEST_SHARE = 0.25
SPLIT_SEED = 0  # the split does not depend on --seed


class DigitNet(nn.Module):
    """Images (N, 1, 8, 8) to the logits of ten digits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(64)
        self.drop = nn.Dropout(0.4)
        self.fc1 = nn.Linear(64 * 4 * 4, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))  # (N, 32, 8, 8)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)  # (N, 64, 4, 4)
        x = self.drop(x.flatten(1))
        return self.fc2(self.drop(F.relu(self.fc1(x))))


def load() -> tuple[TensorDataset, TensorDataset]:
    """Return the training set and the test set: images (N, 1, 8, 8) in [0, 1], labels (N,)."""
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None]
    labels = digits.target.astype(np.int64)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    test_size = round(TEST_SHARE * len(images))

    def part(places: np.ndarray) -> TensorDataset:
        return TensorDataset(torch.from_numpy(images[places]), torch.from_numpy(labels[places]))

    return part(order[test_size:]), part(order[:test_size])


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: optim.Optimizer,
    bar: tqdm,
    schedule: optim.lr_scheduler.LRScheduler | None = None,
) -> tuple[float, float]:
    """Train for one epoch, and return the mean loss and the accuracy, which `bar` shows too.

    The loader yields images and labels (N,); the model returns logits (N, classes). `schedule` is
    one that has a step for each batch.
    """
    model.train()
    total, right, seen = 0.0, 0, 0
    for images, labels in loader:
        optimizer.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        total += loss.item() * len(labels)
        right += int((logits.argmax(1) == labels).sum())
        seen += len(labels)
        bar.set_postfix(loss=f"{total / seen:.3f}", acc=f"{right / seen:.1%}", refresh=False)
        bar.update()
    return total / seen, right / seen


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """The share of images that the model classifies correctly."""
    model.eval()
    right, seen = 0, 0
    with torch.no_grad():
        for images, labels in loader:
            right += int((model(images).argmax(1) == labels).sum())
            seen += len(labels)
    return right / seen


def main(argv: Sequence[str] | None = None) -> float:
    """Train, test and draw. Returns the accuracy on the test set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("digits.svg"), help="picture to write")
    options = parser.parse_args(argv)
    if options.epochs < 1:
        parser.error("--epochs must be at least 1")

    torch.manual_seed(options.seed)
    training, test = load()
    loader = DataLoader(training, options.batch_size, shuffle=True, drop_last=True)
    model = DigitNet()
    optimizer = optim.Adam(model.parameters(), lr=options.lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=options.epochs)
    start = time.perf_counter()
    with tqdm(total=options.epochs * len(loader), unit="batch") as bar:
        for epoch in range(1, options.epochs + 1):
            bar.set_description(f"epoch {epoch}", refresh=False)
            train_epoch(model, loader, optimizer, bar)
            schedule.step()
    seconds = time.perf_counter() - start
    reached = accuracy(model, DataLoader(test, batch_size=256))

    model.train()
    images, labels = next(iter(loader))
    loss = F.cross_entropy(model(images), labels)
    names = {"images": images, "labels": labels, "loss": loss}
    file = visualize.draw(loss, model, names=names).save(options.out)
    print(f"test accuracy {reached:.2%} after {seconds:.1f} s of training; its graph: {file}")
    return reached


if __name__ == "__main__":
    main()
