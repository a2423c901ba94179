"""Train a CNN on MNIST or Fashion-MNIST, read from their IDX files, gzipped or not.

    python examples/train_mnist.py --data /usr/share/datasets/fashion-mnist

That folder is where Debian's package `dataset-fashion-mnist` puts them. With `--save FILE` the run
is written after each epoch, and `--resume FILE` goes on from there to the same end.
"""

from __future__ import annotations

import argparse
import gzip
import math
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim
from tinygrad_cnn.utils.data import DataLoader, Dataset

CLASSES = 10


class InputError(Exception):
    """A file that is missing or not what it should be; the message names it."""


# --- IDX files ----------------------------------------------------------------------------------


def find(folder: Path, name: str) -> Path:
    """The file `name` in `folder`, as it is or with .gz."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise InputError(f"there is no {name} and no {name}.gz in {folder}")


def read_idx(path: Path, axes: int) -> np.ndarray:
    """The bytes (uint8) of an IDX file with that many axes.

    The format: two zero bytes, 8 for "unsigned byte", the number of axes, the size of each as
    32 bits, the largest first; then the elements, the last axis fastest.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            data = file.read()
    except (OSError, EOFError, zlib.error) as error:  # of gzip too: a bad or broken-off stream
        raise InputError(f"{path}: cannot be read: {error}") from None
    header = 4 + 4 * axes
    if data[:4] != bytes((0, 0, 8, axes)):
        raise InputError(f"{path}: is no IDX file of bytes with {axes} axes")
    if len(data) < header:
        raise InputError(f"{path}: is truncated: it ends in its header")
    shape = [int.from_bytes(data[4 + 4 * k : 8 + 4 * k], "big") for k in range(axes)]
    wanted = math.prod(shape)
    if len(data) - header != wanted:
        what = "truncated" if len(data) - header < wanted else "too long"
        raise InputError(
            f"{path}: is {what}: {len(data) - header} bytes of data, shape {tuple(shape)} is {wanted}"
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


class Images(Dataset):
    """Images and labels as the bytes of their files; each batch becomes Tensors when its turn comes.

    `part` is "train" or "t10k", as the files are called.
    """

    def __init__(self, folder: Path, part: str):
        image_file = find(folder, f"{part}-images-idx3-ubyte")
        label_file = find(folder, f"{part}-labels-idx1-ubyte")
        self.images, self.labels = read_idx(image_file, 3), read_idx(label_file, 1)
        if len(self.images) != len(self.labels) or not len(self.images):
            raise InputError(
                f"{label_file}: has {len(self.labels)} labels for the {len(self.images)} images of "
                f"{image_file.name}"
            )
        if self.labels.max() >= CLASSES:
            raise InputError(f"{label_file}: has label {self.labels.max()}, wanted 0 to 9")

    def __len__(self) -> int:
        return len(self.images)

    def __getitems__(self, numbers: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        return self.images[numbers], self.labels[numbers]


def to_tensors(batch: tuple[np.ndarray, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (N, 1, H, W) in [0, 1] and labels (N,), of bytes."""
    images, labels = batch
    return (
        torch.from_numpy(images[:, None].astype(np.float32) / 255),
        torch.from_numpy(labels.astype(np.int64)),
    )


# --- Model and training -------------------------------------------------------------------------


class ConvNet(nn.Module):
    """Images (N, 1, H, W) to the logits of ten classes (N, 10)."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.drop = nn.Dropout(0.2)
        self.fc1 = nn.Linear(32 * (height // 4) * (width // 4), 128)
        self.fc2 = nn.Linear(128, CLASSES)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))  # (N, 16, H/2, W/2); relu on a quarter of it
        x = F.relu(F.max_pool2d(self.conv2(x), 2))  # (N, 32, H/4, W/4)
        return self.fc2(self.drop(F.relu(self.fc1(x.flatten(1)))))


def train_epoch(model: nn.Module, loader: DataLoader, optimizer: optim.Optimizer, title: str):
    """One pass over the training set; returns its mean loss and accuracy."""
    model.train()
    total, right, seen = 0.0, 0, 0
    with tqdm(loader, desc=title, unit="batch") as bar:
        for images, labels in bar:
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
            right += int((logits.argmax(1) == labels).sum())
            seen += len(labels)
            bar.set_postfix(loss=f"{total / seen:.3f}", acc=f"{right / seen:.1%}", refresh=False)
    return total / seen, right / seen


def accuracy(model: nn.Module, data: Images) -> float:
    """The share of images that the model names rightly."""
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in DataLoader(data, batch_size=256, collate_fn=to_tensors):
            right += int((model(images).argmax(1) == labels).sum())
    return right / len(data)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with the four files")
    parser.add_argument("--epochs", type=int, default=5, help="to train in all (5)")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3, help="halved every second epoch (0.002)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the run here each epoch")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="go on with a saved run")
    options = parser.parse_args(argv)
    for name in ("epochs", "batch_size"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    return options


def run(options: argparse.Namespace) -> float:
    """Train and test; returns the accuracy on the test set."""
    training, test = Images(options.data, "train"), Images(options.data, "t10k")
    torch.manual_seed(options.seed)
    model = ConvNet(*training.images.shape[1:])
    optimizer = optim.Adam(model.parameters(), lr=options.lr)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    done = 0
    if options.resume:
        try:
            state = torch.load(options.resume)
        except (OSError, torch.CheckpointError) as error:
            raise InputError(str(error)) from None
        try:
            for name, part in parts.items():
                part.load_state_dict(state[name])
            done = state["epochs"]
            torch.set_rng_state(state["random"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            why = " ".join(str(error).split())
            raise InputError(f"{options.resume}: does not fit: {why}") from None
    loader = DataLoader(training, options.batch_size, shuffle=True, collate_fn=to_tensors)
    start = time.perf_counter()
    for epoch in range(done + 1, options.epochs + 1):
        train_epoch(model, loader, optimizer, f"epoch {epoch}/{options.epochs}")
        schedule.step()
        if options.save:
            state = {name: part.state_dict() for name, part in parts.items()}
            torch.save({**state, "epochs": epoch, "random": torch.get_rng_state()}, options.save)
    seconds = time.perf_counter() - start
    reached = accuracy(model, test)
    print(f"test accuracy {reached:.2%} after {options.epochs} epochs, {seconds:.1f} s of training")
    return reached


def main(argv: Sequence[str] | None = None) -> float:
    """Run; what is wrong with a file ends the program with one line."""
    options = parse(argv)
    try:
        return run(options)
    except InputError as error:
        sys.exit(f"train_mnist.py: {error}")


if __name__ == "__main__":
    main()
