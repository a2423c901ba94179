"""Train one CNN in several processes, on the digits of scikit-learn or on Fashion-MNIST.

    python -m tinygrad_cnn.distributed.run -n 2 examples/train_distributed.py
    mpiexec -n 4 python examples/train_distributed.py --data /usr/share/datasets/fashion-mnist

`--batch-size` is that of all processes together, so the result does not depend on their number, to
rounding. `--save FILE` writes a checkpoint after each epoch; the same command continues from it,
with any number of processes. Without an MPI launcher there is one process.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import runs
from train_digits import load
from train_mnist import Images, to_tensors

import tinygrad_cnn as torch
import tinygrad_cnn.distributed as dist
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim
from tinygrad_cnn.nn.parallel import DistributedDataParallel as DDP
from tinygrad_cnn.utils.data import DataLoader, Dataset
from tinygrad_cnn.utils.data.distributed import DistributedSampler


class Net(nn.Module):
    """Images (N, 1, H, W) to the logits of ten classes (N, 10); 4 divides H and W."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.conv2, self.bn2 = nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32)
        self.fc = nn.Linear(32 * (height // 4) * (width // 4), 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(F.max_pool2d(self.bn1(self.conv1(x)), 2))  # (N, 16, H/2, W/2)
        x = F.relu(F.max_pool2d(self.bn2(self.conv2(x)), 2))  # (N, 32, H/4, W/4)
        return self.fc(x.flatten(1))


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with IDX files (default: the digits)")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=64, help="of all processes together")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--save", type=Path, metavar="FILE", help="checkpoint to write and to read")
    options = parser.parse_args(argv)
    if options.epochs < 1:
        parser.error("--epochs must be at least 1")
    return options


def total(*values: float) -> list[float]:
    """The sum of each value over all processes."""
    x = torch.tensor(values, dtype=torch.float64)
    dist.all_reduce(x)
    return x.tolist()


def accuracy(model: nn.Module, test: Dataset, collate_fn: object) -> float:
    """The share of images that the model classifies correctly: each process tests its part."""
    part = range(dist.get_rank(), len(test), dist.get_world_size())
    loader = DataLoader(test, 256, sampler=part, collate_fn=collate_fn)
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in loader:
            right += int((model(images).argmax(1) == labels).sum())
    return total(right)[0] / len(test)


def main(argv: Sequence[str] | None = None) -> float:
    """Train and test. Returns the accuracy on the test set."""
    options = parse(argv)
    dist.init_process_group()
    rank, size = dist.get_rank(), dist.get_world_size()
    if options.batch_size % size:
        raise SystemExit(f"--batch-size {options.batch_size} is no multiple of {size} processes")
    if options.data is None:
        training, test = load()
        collate_fn = None
    else:
        training, test = Images(options.data, "train"), Images(options.data, "t10k")
        collate_fn = to_tensors
    images, _ = next(iter(DataLoader(training, 1, collate_fn=collate_fn)))

    torch.manual_seed(0)
    model = nn.SyncBatchNorm.convert_sync_batchnorm(Net(*images.shape[2:]))
    optimizer = optim.Adam(model.parameters(), lr=options.lr)
    parts = {"model": model, "optimizer": optimizer}
    done = 0
    if options.save and options.save.exists():  # all read it
        done = runs.resume(options.save, parts)
    ddp = DDP(model)
    sampler = DistributedSampler(training, drop_last=True)
    loader = DataLoader(
        training, options.batch_size // size, sampler=sampler, drop_last=True, collate_fn=collate_fn
    )
    for epoch in range(done + 1, options.epochs + 1):
        model.train()
        sampler.set_epoch(epoch)
        losses = 0.0
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(ddp(images), labels)
            loss.backward()
            optimizer.step()
            losses += loss.item()
        mean = total(losses)[0] / (len(loader) * size)
        if rank == 0:
            print(f"epoch {epoch}: loss {mean:.6f}", flush=True)
            if options.save:
                runs.save(options.save, parts, epoch)
        dist.barrier()  # nobody ends before the checkpoint is there
    reached = accuracy(model, test, collate_fn)
    if rank == 0:
        print(f"test accuracy {reached:.2%} with {size} processes")
    dist.destroy_process_group()
    return reached


if __name__ == "__main__":
    main()
