"""Data parallelism: collectives measured here, and steps on larger networks predicted.

    mpiexec -n 2 python -m benchmarks.distributed all_reduce    # beside mpi4py's own Allreduce
    mpiexec -n 2 python -m benchmarks.distributed step          # a step with and without averaging
    python -m benchmarks.distributed predict --plot scaling.png # 8 to 1,024 ranks, by a model
    python -m benchmarks.distributed check                      # the model beside real steps

`predict` measures the step of one process here: when each bucket of gradients is complete. The time of
its reduction over p ranks is a formula of latency α, time per byte β and size n (Thakur, Rabenseifner
and Gropp 2005): a ring takes 2 (p−1) α + 2 (p−1)/p n β, a tree 2 ⌈log₂ p⌉ (α + n β). Networks are not
measured here: bandwidths are nominal, and latencies are published ones, of Hurwitz and Feng 2003 for
10 Gb Ethernet and of Liu et al. 2005 for MPI over InfiniBand.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import tinygrad_cnn as torch
import tinygrad_cnn.distributed as dist
from tinygrad_cnn import nn, optim
from tinygrad_cnn.distributed.buckets import CAP_MEGABYTES, FIRST_BYTES
from tinygrad_cnn.distributed.groups import ProcessGroup
from tinygrad_cnn.distributed.reducer import Reducer
from tinygrad_cnn.distributed.transport import Transport

from .networks import resnet, vgg

LATENCY = {"10 Gb": 20e-6, "100 Gb": 4.1e-6}  # α, in seconds
BYTE = {"10 Gb": 8 / 10e9, "100 Gb": 8 / 100e9}  # β, in seconds
RANKS = (1, 8, 16, 32, 64, 128, 256, 512, 1024)
BATCH = 8  # of one rank


def ring(ranks: int, nbytes: float, network: str) -> float:
    """Seconds of an all-reduce along a ring."""
    latency, byte = LATENCY[network], BYTE[network]
    return 2 * (ranks - 1) * latency + 2 * (ranks - 1) / ranks * nbytes * byte


def tree(ranks: int, nbytes: float, network: str) -> float:
    """Seconds of an all-reduce up and down a binomial tree."""
    return 2 * math.ceil(math.log2(ranks)) * (LATENCY[network] + nbytes * BYTE[network])


def best(ranks: int, nbytes: float, network: str) -> float:
    """Seconds of the faster of the two, as MPI chooses by size."""
    return min(ring(ranks, nbytes, network), tree(ranks, nbytes, network))


class Sleeping(Transport):
    """Two ranks of equal values, where a reduction takes `seconds(nbytes)`."""

    size = 2

    def __init__(self, seconds: Callable[[float], float]):
        self.seconds = seconds

    def all_reduce(self, x: np.ndarray, op: str) -> None:
        """Sleep."""
        time.sleep(self.seconds(x.nbytes))


class Step(NamedTuple):
    """A step of one process, in seconds: the pass back, all else, and the buckets (ready, bytes)."""

    backward: float
    rest: float
    buckets: list[tuple[float, int]]

    def over(self, ranks: int, network: str, overlapped: bool = True, part: float = 1.0) -> float:
        """The predicted seconds over `ranks`, with gradients of `part` of their bytes."""
        if ranks == 1:
            return self.backward + self.rest
        free = 0.0 if overlapped else self.backward
        for ready, nbytes in self.buckets:
            free = max(free, ready) + best(ranks, part * nbytes, network)
        return self.rest + max(self.backward, free)


def network(name: str) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A model for images 32 x 32, and a batch."""
    torch.manual_seed(0)
    model = (resnet if name == "ResNet-18" else vgg)(torch)
    return model, torch.randn(BATCH, 3, 32, 32), torch.randint(0, 10, (BATCH,))


def run(name: str, seconds: Callable[[float], float], rounds: int = 5) -> tuple[Step, float]:
    """Train with a sleeping transport. The fastest step, and its seconds."""
    model, x, y = network(name)
    group = ProcessGroup(Sleeping(seconds), range(2))
    named = list(model.named_parameters())
    reducer = Reducer(named, group, FIRST_BYTES, CAP_MEGABYTES << 20, False)
    optimizer = optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    found = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        reducer.arm()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        whole = time.perf_counter() - start
        buckets = [(t.ready - reducer.began, t.nbytes) for t in reducer.timings()]
        backward = reducer.computed - reducer.began
        step = Step(backward, whole - (reducer.ended - reducer.began), buckets)
        found.append((whole, step))
    whole, step = min(found[1:], key=lambda pair: pair[0])
    return step, whole


def predict(plot: str | None) -> None:
    """Print the efficiency of weak scaling: time of one rank over time of p."""
    curves: dict[str, list[float]] = {}
    for name in ("ResNet-18", "VGG-11"):
        step, _ = run(name, lambda nbytes: 0.0)
        sizes = ", ".join(f"{n / 2**20:.1f}" for _, n in step.buckets)
        alone = step.over(1, "10 Gb")
        print(f"{name}: step {1e3 * alone:.0f} ms, backward {1e3 * step.backward:.0f} ms, "
              f"buckets of {sizes} MB")  # fmt: skip
        print(f"  {'ranks':36}" + "".join(f"{p:7}" for p in RANKS[1:]))
        for net in LATENCY:
            for label, options in (
                ("at the end", {"overlapped": False}), ("overlapped", {}),
                ("overlapped, float16", {"part": 0.5}),
            ):  # fmt: skip
                kept = [alone / step.over(p, net, **options) for p in RANKS]  # type: ignore[arg-type]
                curves[f"{name}, {net}, {label}"] = kept
                print(f"  {net + ', ' + label:36}" + "".join(f"{e:7.0%}" for e in kept[1:]))
    if plot:
        draw(curves, plot)


def draw(curves: dict[str, list[float]], file: str) -> None:
    """Save the curves as a picture: a panel for each network of machines."""
    from visualize.plots import figure

    made = figure(10.0, 4.0)
    for place, net in enumerate(LATENCY, 1):
        axes = made.add_subplot(1, 2, place)
        for label, kept in curves.items():
            if f", {net}," in label:
                axes.plot(
                    RANKS, kept, marker="o", markersize=3, label=label.replace(f", {net}", "")
                )
        axes.set(xscale="log", ylim=(0, 1.05), xlabel="ranks", title=f"{net}/s, predicted")
        axes.set_ylabel("efficiency of weak scaling")
        axes.legend(fontsize=7)
    made.savefig(file)
    print(f"curves: {file}")


def check() -> None:
    """Compare steps on the sleeping transport with predictions from their own computing times."""
    for name in ("ResNet-18", "VGG-11"):
        for ranks in (8, 128, 1024):
            for net in LATENCY:
                step, whole = run(name, lambda n, p=ranks, w=net: best(p, n, w))  # type: ignore[misc]
                wanted = step.over(ranks, net)
                print(f"{name}, {ranks:5} ranks, {net:6}: predicted {1e3 * wanted:7.1f} ms, "
                      f"took {1e3 * whole:7.1f} ms ({whole / wanted - 1:+.1%})")  # fmt: skip


def all_reduce() -> None:
    """Time `all_reduce` beside mpi4py's Allreduce, in turn; the median of the rounds."""
    from mpi4py import MPI

    dist.init_process_group()
    comm, bare = MPI.COMM_WORLD, MPI.IN_PLACE
    if dist.get_rank() == 0:
        print(f"{'bytes':>12} {'mpi4py, µs':>12} {'here, µs':>12} {'more, µs':>10}")
    for nbytes in (1 << 10, 1 << 14, 1 << 17, 1 << 20, 10 << 20, 100 << 20):
        x = torch.ones(nbytes // 4)
        rounds = 300 if nbytes < 1 << 20 else 10
        times: list[list[float]] = [[], []]
        for i in range(2 * rounds):
            comm.Barrier()
            start = time.perf_counter()
            if i % 2:
                dist.all_reduce(x)
            else:
                comm.Allreduce(bare, x.numpy(), MPI.SUM)
            times[i % 2].append(time.perf_counter() - start)
        a, b = (1e6 * statistics.median(part) for part in times)
        if dist.get_rank() == 0:
            print(f"{nbytes:12} {a:12.1f} {b:12.1f} {b - a:10.1f}", flush=True)


def step() -> None:
    """Time the backward pass of ResNet-18 with averaging, and in `no_sync`, in turn."""
    dist.init_process_group()
    model, x, y = network("ResNet-18")
    ddp = nn.parallel.DistributedDataParallel(model)
    times: dict[bool, list[float]] = {True: [], False: []}
    for i in range(12):
        averages = bool(i % 2)
        model.zero_grad()
        if averages:
            loss = nn.functional.cross_entropy(ddp(x), y)
        else:
            with ddp.no_sync():
                loss = nn.functional.cross_entropy(ddp(x), y)
        dist.barrier()
        start = time.perf_counter()
        loss.backward()
        times[averages].append(time.perf_counter() - start)
    with_, without = (min(times[averages][1:]) for averages in (True, False))
    if dist.get_rank() == 0:
        print(f"backward with averaging {1e3 * with_:.0f} ms, without {1e3 * without:.0f} ms: "
              f"{with_ / without:.2f}")  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["all_reduce", "step", "predict", "check"])
    parser.add_argument("--plot", metavar="FILE", help="picture of `predict`")
    options = parser.parse_args(argv)
    commands: dict[str, Any] = {"all_reduce": all_reduce, "step": step, "check": check}
    if options.command == "predict":
        predict(options.plot)
    else:
        commands[options.command]()


if __name__ == "__main__":
    main()
