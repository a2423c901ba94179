"""Train a small ResNet on CIFAR-10, with random crops and flips and a one-cycle schedule.

    python examples/train_cifar10.py --data DIR

DIR has the folder cifar-10-batches-py (or is that folder) of the archive
https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz, or cifar-10-batches-bin of the binary
version. `--save FILE` writes a checkpoint after each epoch, and `--resume FILE` continues from it.
The result is the same as without a break.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import runs
from networks import Block
from tqdm import tqdm
from train_digits import accuracy, train_epoch

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim
from tinygrad_cnn.utils.data import DataLoader, Dataset
from tinygrad_cnn.utils.datasets import CIFAR10

CLASSES = 10
MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1)  # of the training images
STD = torch.tensor([0.2470, 0.2435, 0.2616]).view(3, 1, 1)
SIDE, PADDING = 32, 4


class Batches(Dataset):
    """The images (N, 3, 32, 32) and labels (N,) of a part of the data, whole batches at a time.

    `augment`: each image is padded with 4 pixels on every side, cropped at a random place, and
    flipped half of the time.
    """

    def __init__(self, data: CIFAR10, augment: bool) -> None:
        self.images = np.ascontiguousarray(data.data.transpose(0, 3, 1, 2))
        self.labels = np.array(data.targets)
        self.augment = augment

    def __len__(self) -> int:
        return len(self.images)

    def __getitems__(self, numbers: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        images = self.images[numbers]
        return cropped_and_flipped(images) if self.augment else images, self.labels[numbers]


def cropped_and_flipped(images: np.ndarray) -> np.ndarray:
    """Random crops of the padded images (N, 3, 32, 32), half of them flipped left to right."""
    n = len(images)
    pad = (PADDING, PADDING)
    padded = np.pad(images, ((0, 0), (0, 0), pad, pad))
    top, left = torch.randint(0, 2 * PADDING + 1, (2, n, 1)).numpy()  # (N, 1) each
    rows = (top + np.arange(SIDE))[:, None, :, None]  # (N, 1, 32, 1)
    columns = left + np.arange(SIDE)  # (N, 32)
    flip = torch.rand(n).numpy() < 0.5
    columns[flip] = columns[flip, ::-1]
    samples, channels = np.arange(n)[:, None, None, None], np.arange(3)[:, None, None]
    return padded[samples, channels, rows, columns[:, None, None, :]]


def to_tensors(batch: tuple[np.ndarray, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch of bytes as Tensors: normalised images (N, 3, 32, 32) and labels (N,)."""
    images, labels = batch
    return (torch.from_numpy(images).float() / 255 - MEAN) / STD, torch.from_numpy(labels)


class SmallResNet(nn.Module):
    """Images (N, 3, 32, 32) to logits (N, 10): three stages of blocks (He et al. 2016, 4.2)."""

    def __init__(self, blocks: int = 1, width: int = 16) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        stages: list[nn.Module] = []
        c = width
        for stage in range(3):
            for block in range(blocks):
                f = width * 2**stage
                stages.append(Block(c, f, 2 if stage and not block else 1))
                c = f
        self.stages = nn.Sequential(*stages)
        self.fc = nn.Linear(c, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(images)))
        return self.fc(F.adaptive_avg_pool2d(self.stages(x), 1).flatten(1))


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the batches")
    parser.add_argument("--epochs", type=int, default=15,
                        help="epochs in all, those before --resume included "
                        "(default: %(default)s)")  # fmt: skip
    parser.add_argument("--batch-size", type=int, default=128, help="(default: %(default)s)")
    parser.add_argument("--lr", type=float, default=0.2,
                        help="highest learning rate (default: %(default)s)")  # fmt: skip
    parser.add_argument("--blocks", type=int, default=1,
                        help="residual blocks of each stage (default: %(default)s)")  # fmt: skip
    parser.add_argument("--width", type=int, default=16,
                        help="channels of the first stage (default: %(default)s)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument("--save", type=Path, metavar="FILE",
                        help="write a checkpoint after each epoch")  # fmt: skip
    parser.add_argument("--resume", type=Path, metavar="FILE",
                        help="continue from a checkpoint")  # fmt: skip
    options = parser.parse_args(argv)
    for name in ("epochs", "batch_size", "blocks", "width"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    return options


def load(folder: Path) -> tuple[Batches, Batches]:
    """The training set and the test set. InputError for files that are missing or damaged."""
    root = folder.parent if folder.name.startswith("cifar-10-batches-") else folder
    try:
        return Batches(CIFAR10(root, train=True), True), Batches(CIFAR10(root, train=False), False)
    except (OSError, RuntimeError) as error:
        raise runs.InputError(str(error)) from None


def run(options: argparse.Namespace) -> float:
    """Train and test. Returns the accuracy on the test set."""
    training, test = load(options.data)
    torch.manual_seed(options.seed)
    model = SmallResNet(options.blocks, options.width)
    optimizer = optim.SGD(model.parameters(), options.lr, momentum=0.9, weight_decay=5e-4)
    loader = DataLoader(training, options.batch_size, shuffle=True, collate_fn=to_tensors)
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, options.lr, epochs=options.epochs, steps_per_epoch=len(loader)
    )
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    done = runs.resume(options.resume, parts) if options.resume else 0
    start = time.perf_counter()
    for epoch in range(done + 1, options.epochs + 1):
        title = f"epoch {epoch}/{options.epochs}"
        with tqdm(total=len(loader), desc=title, unit="batch") as bar:
            train_epoch(model, loader, optimizer, bar, schedule)
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
    except runs.InputError as error:
        sys.exit(f"train_cifar10.py: {error}")


if __name__ == "__main__":
    main()
