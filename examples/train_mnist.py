"""Train a CNN on MNIST or Fashion-MNIST, read from IDX files, gzipped or not.

    python examples/train_mnist.py --data /usr/share/datasets/fashion-mnist

Debian's package `dataset-fashion-mnist` installs the files in that folder. `--save FILE` writes a
checkpoint after each epoch, and `--resume FILE` continues from it. The result is the same as
without a break.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import runs
from runs import InputError
from tqdm import tqdm
from train_digits import accuracy, train_epoch

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim
from tinygrad_cnn.utils.data import DataLoader, Dataset
from tinygrad_cnn.utils.datasets.mnist import read_idx

CLASSES = 10


# --- IDX files ----------------------------------------------------------------------------------


def find(folder: Path, name: str) -> Path:
    """The path of the file `name` or `name`.gz in `folder`."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise InputError(f"there is no {name} and no {name}.gz in {folder}")


class Images(Dataset):
    """The images (N, H, W) and labels (N,) of one part of the data, as bytes.

    `part` is "train" or "t10k", the start of the file names. Raises InputError for bad files.
    """

    def __init__(self, folder: Path, part: str) -> None:
        image_file = find(folder, f"{part}-images-idx3-ubyte")
        label_file = find(folder, f"{part}-labels-idx1-ubyte")
        try:
            self.images, self.labels = read_idx(image_file, 3), read_idx(label_file, 1)
        except (OSError, RuntimeError) as error:
            raise InputError(str(error)) from None
        if len(self.images) != len(self.labels) or not len(self.images):
            raise InputError(
                f"{label_file}: has {len(self.labels)} labels for the {len(self.images)} images of "
                f"{image_file.name}"
            )
        if self.labels.max() >= CLASSES:
            raise InputError(f"{label_file}: has a label {self.labels.max()}, wanted 0 to 9")

    def __len__(self) -> int:
        return len(self.images)

    def __getitems__(self, numbers: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        return self.images[numbers], self.labels[numbers]


def to_tensors(batch: tuple[np.ndarray, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch of bytes as Tensors: images (N, 1, H, W) in [0, 1] and labels (N,)."""
    images, labels = batch
    return (
        torch.from_numpy(images[:, None].astype(np.float32) / 255),
        torch.from_numpy(labels.astype(np.int64)),
    )


# --- Model and training -------------------------------------------------------------------------


class ConvNet(nn.Module):
    """Images (N, 1, H, W) to the logits of ten classes (N, 10); 4 divides H and W."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.drop = nn.Dropout(0.2)
        self.fc1 = nn.Linear(32 * (height // 4) * (width // 4), 128)
        self.fc2 = nn.Linear(128, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # max pooling commutes with ReLU; pooling first leaves ReLU a quarter of the elements
        x = F.relu(F.max_pool2d(self.conv1(x), 2))  # (N, 16, H/2, W/2)
        x = F.relu(F.max_pool2d(self.conv2(x), 2))  # (N, 32, H/4, W/4)
        return self.fc2(self.drop(F.relu(self.fc1(x.flatten(1)))))


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the four IDX files")
    parser.add_argument("--epochs", type=int, default=5,
                        help="epochs in all, those before --resume included "
                        "(default: %(default)s)")  # fmt: skip
    parser.add_argument("--batch-size", type=int, default=64, help="(default: %(default)s)")
    parser.add_argument("--lr", type=float, default=2e-3,
                        help="learning rate, halved every second epoch "
                        "(default: %(default)s)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument("--save", type=Path, metavar="FILE",
                        help="write a checkpoint after each epoch")  # fmt: skip
    parser.add_argument("--resume", type=Path, metavar="FILE",
                        help="continue from a checkpoint")  # fmt: skip
    options = parser.parse_args(argv)
    for name in ("epochs", "batch_size"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    return options


def run(options: argparse.Namespace) -> float:
    """Train and test. Returns the accuracy on the test set."""
    training, test = Images(options.data, "train"), Images(options.data, "t10k")
    torch.manual_seed(options.seed)
    model = ConvNet(*training.images.shape[1:])
    optimizer = optim.Adam(model.parameters(), lr=options.lr)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    done = runs.resume(options.resume, parts) if options.resume else 0
    loader = DataLoader(training, options.batch_size, shuffle=True, collate_fn=to_tensors)
    start = time.perf_counter()
    for epoch in range(done + 1, options.epochs + 1):
        title = f"epoch {epoch}/{options.epochs}"
        with tqdm(total=len(loader), desc=title, unit="batch") as bar:
            train_epoch(model, loader, optimizer, bar)
        schedule.step()
        if options.save:
            runs.save(options.save, parts, epoch)
    seconds = time.perf_counter() - start
    reached = accuracy(model, DataLoader(test, batch_size=256, collate_fn=to_tensors))
    print(f"test accuracy {reached:.2%} after {options.epochs} epochs, {seconds:.1f} s of training")
    return reached


def main(argv: Sequence[str] | None = None) -> float:
    """Run. A bad file ends the program with one line on standard error."""
    options = parse(argv)
    try:
        return run(options)
    except InputError as error:
        sys.exit(f"train_mnist.py: {error}")


if __name__ == "__main__":
    main()
