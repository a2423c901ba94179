"""Train a small CNN on the 1,797 handwritten digits that scikit-learn ships, and draw its graph.

python examples/train_digits.py                 # some 20 seconds, at least 98 % on the test set
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
SPLIT_SEED = 0  # the split is the same whatever --seed says


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

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))  # (N, 32, 8, 8)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)  # (N, 64, 4, 4)
        x = self.drop(x.flatten(1))
        return self.fc2(self.drop(F.relu(self.fc1(x))))


def load() -> tuple[TensorDataset, TensorDataset]:
    """The training and the test set: images (N, 1, 8, 8) in [0, 1], labels (N,)."""
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None]
    labels = digits.target.astype(np.int64)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    held_out = round(TEST_SHARE * len(images))
    test, train = order[:held_out], order[held_out:]
    return tuple(
        TensorDataset(torch.from_numpy(images[part]), torch.from_numpy(labels[part]))
        for part in (train, test)
    )


def accuracy(model: nn.Module, data: TensorDataset) -> float:
    """The share of images that the model names rightly."""
    model.eval()
    with torch.no_grad():
        right = sum(
            int((model(images).argmax(1) == labels).sum())
            for images, labels in DataLoader(data, batch_size=256)
        )
    return right / len(data)


def train(model: nn.Module, data: TensorDataset, epochs: int, batch_size: int, lr: float):
    """Train in place; returns the images and labels of the last batch."""
    loader = DataLoader(data, batch_size=batch_size, shuffle=True, drop_last=True)
    optimizer = optim.Adam(model.parameters(), lr=lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    with tqdm(total=epochs * len(loader), unit="batch") as bar:
        for epoch in range(1, epochs + 1):
            model.train()
            losses, right, seen = 0.0, 0, 0
            for images, labels in loader:
                optimizer.zero_grad()
                logits = model(images)
                loss = F.cross_entropy(logits, labels)
                loss.backward()
                optimizer.step()
                losses += loss.item() * len(labels)
                right += int((logits.argmax(1) == labels).sum())
                seen += len(labels)
                facts = {"loss": f"{losses / seen:.3f}", "acc": f"{right / seen:.1%}"}
                bar.set_postfix(epoch=epoch, **facts, refresh=False)
                bar.update()
            schedule.step()
    return images, labels


def main(argv: Sequence[str] | None = None) -> float:
    """Run; returns the accuracy on the test set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("digits.svg"), help="the picture's file")
    options = parser.parse_args(argv)
    if options.epochs < 1:
        parser.error("--epochs must be at least 1")

    torch.manual_seed(options.seed)
    training, test = load()
    model = DigitNet()
    start = time.perf_counter()
    images, labels = train(model, training, options.epochs, options.batch_size, options.lr)
    seconds = time.perf_counter() - start
    reached = accuracy(model, test)

    model.train()
    loss = F.cross_entropy(model(images), labels)
    names = {"images": images, "labels": labels, "loss": loss}
    file = visualize.draw(loss, model=model, names=names).save(options.out)
    print(f"test accuracy {reached:.2%} after {seconds:.1f} s of training; its graph: {file}")
    return reached


if __name__ == "__main__":
    main()
