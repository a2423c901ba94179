"""`python -m benchmarks [--only WORD] [--quick]`: the rows of docs/speed targets, against PyTorch.

PyTorch stands in its better memory format and with its default threads; where it is not installed
the times stand alone. The last column is the target for the NumPy kernels.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tinygrad_cnn as tc

from . import rows
from .measure import compare, in_process

TORCH = importlib.util.find_spec("torch") is not None
CHAIN, LENET, STEP = 0.5, 1.3, 2.0  # targets: time over PyTorch's


def _line(name: str, ours: float, theirs: float | None, unit: str, target: float | None) -> None:
    ratio = f"{ours / theirs:6.2f}" if theirs else "     -"
    peer = f"{theirs:10.3f}" if theirs else "         -"
    goal = "" if target is None else f"{target:6.2f}"
    print(f"{name:36} {ours:10.3f} {peer} {unit:3} {ratio} {goal}", flush=True)


def _timed(
    name: str, make: Callable[[Any, bool], rows.Run], target: float, quick: bool, scale: float = 1e3,
    unit: str = "ms", formats: bool = True, threads: int | None = None,
) -> None:  # fmt: skip
    """Time `make(library, channels_last)` of each contestant in turn, and print the row."""
    contestants = {"ours": make(tc, False)}
    if TORCH:
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(threads or before)
        contestants["torch"] = make(torch, False)
        if formats:
            contestants["torch, channels last"] = make(torch, True)
    result = compare(contestants, rounds=4 if quick else 12, block=0.05 if quick else 0.15)
    if TORCH:
        torch.set_num_threads(before)
        best = min(result.seconds[n] for n in contestants if n != "ours")
        _line(name, result.seconds["ours"] * scale, best * scale, unit, target)
    else:
        _line(name, result.seconds["ours"] * scale, None, unit, target)


def engine(quick: bool) -> None:
    """A chain of 2,000 multiplications and additions, microseconds an op, one thread."""
    for name, parameters in (("engine chain", False), ("engine chain of parameters", True)):
        _timed(
            name,
            lambda t, _, p=parameters: rows.chain(t, parameters=p),
            CHAIN,
            quick,
            scale=1e6 / 2000,
            unit="µs",
            formats=False,
            threads=1,
        )


def mlp(quick: bool) -> None:
    """Training steps of a multilayer perceptron."""
    for batch in (1, 16, 64, 256):
        _timed(
            f"MLP, batch {batch}",
            lambda t, _, b=batch: rows.training_step(t, rows.mlp(t.nn), (b, 784)),
            1.0,
            quick,
            formats=False,
        )


def lenet(quick: bool) -> None:
    """Training steps of LeNet-5."""
    for batch in (1, 64, 256):
        _timed(
            f"LeNet-5, batch {batch}",
            lambda t, cl, b=batch: rows.training_step(t, rows.lenet(t.nn), (b, 1, 28, 28), cl),
            LENET,
            quick,
        )


def conv(quick: bool) -> None:
    """Single convolutions, forward and backward."""
    for name, layer in rows.CONV_LAYERS.items():
        _timed(
            f"conv {name}",
            lambda t, cl, a=layer: rows.conv_layer(t, *a, channels_last=cl),
            STEP,
            quick,
        )


def resnet(quick: bool) -> None:
    """A training step of ResNet-18 on 32 × 32 images."""
    _timed(
        "ResNet-18, 32², batch 16",
        lambda t, cl: rows.training_step(t, rows.resnet(t.nn), (16, 3, 32, 32), cl),
        STEP,
        quick,
    )


_MEMORY = """
import {library} as t
from benchmarks import rows
def field(name):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(name)) / 1024
step = rows.training_step(t, rows.{model}(t.nn), {shape}, {channels_last})
rows.training_step(t, rows.resnet(t.nn, 4, 1), (2, 3, 8, 8), {channels_last})()  # loads code
before = field("VmRSS")
with open("/proc/self/clear_refs", "w") as f:
    f.write("5")
step(); step()
print(field("VmHWM") - before)
"""


def memory(quick: bool) -> None:
    """How far the resident memory of a process rises over two training steps (Linux)."""
    for name, model, shape in (
        ("memory, LeNet-5, batch 256", "lenet", (256, 1, 28, 28)),
        ("memory, ResNet-18, 32², batch 16", "resnet", (16, 3, 32, 32)),
    ):

        def rise(library: str, channels_last: bool = False, model=model, shape=shape) -> float:
            code = _MEMORY.format(
                library=library, model=model, shape=shape,
                channels_last=channels_last,
            )  # fmt: skip
            return in_process(code)

        best = min(rise("torch"), rise("torch", True)) if TORCH else None
        _line(name, rise("tinygrad_cnn"), best, "MiB", 1.0)


def imports(quick: bool) -> None:
    """Milliseconds that importing takes beyond NumPy's."""
    code = (
        "import numpy, time; t = time.perf_counter(); import tinygrad_cnn; "
        "print((time.perf_counter() - t) * 1e3)"
    )
    _line("import beyond NumPy's", min(in_process(code) for _ in range(5)), None, "ms", 50)


def pictures(quick: bool) -> None:
    """Seconds for pictures: a graph of 100,000 ops walked, folded and cut; ResNet-18 drawn."""
    import visualize

    for name, y in (("chain", rows.long_chain(tc)), ("random", rows.tangle(tc))):
        start = time.perf_counter()
        picture = visualize.draw(y)
        drawn = len(picture.view.nodes)
        seconds = time.perf_counter() - start
        nodes = len(picture.graph.nodes)
        _line(f"{name} of {nodes:,} nodes, {drawn} boxes", seconds, None, "s", 5)
    model = rows.resnet(tc.nn)
    loss = model(tc.ones(1, 3, 32, 32)).sum()
    with tempfile.TemporaryDirectory() as folder:
        for ending, target in (("svg", 2), ("html", 3)):
            start = time.perf_counter()
            visualize.draw(loss, model).save(Path(folder) / f"net.{ending}")
            _line(f"ResNet-18 to {ending}", time.perf_counter() - start, None, "s", target)


def jobs(quick: bool) -> None:
    """The main jobs, as users run them: what they print last, accuracy and seconds.

    Fashion-MNIST where FASHION_MNIST names the folder of its files (Debian's package
    dataset-fashion-mnist: /usr/share/datasets/fashion-mnist).
    """
    examples = Path(__file__).parent.parent / "examples"
    commands = []
    if importlib.util.find_spec("sklearn"):
        commands.append(["train_digits.py"])
    if "FASHION_MNIST" in os.environ and not quick:
        commands.append(["train_mnist.py", "--data", os.environ["FASHION_MNIST"]])
    for name, *arguments in commands:
        with tempfile.TemporaryDirectory() as folder:  # for the picture that the example draws
            command = [sys.executable, str(examples / name), *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        print(f"{name:36} {done.stdout.strip().splitlines()[-1]}", flush=True)


GROUPS = (engine, mlp, lenet, conv, resnet, memory, imports, pictures, jobs)


def main() -> None:
    """Run the rows that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=[g.__name__ for g in GROUPS], nargs="*")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a first look")
    options = parser.parse_args()
    print(f"{'':36} {'ours':>10} {'PyTorch':>10} {'':3} {'ratio':>6} target")
    for group in GROUPS:
        if not options.only or group.__name__ in options.only:
            group(options.quick)


if __name__ == "__main__":
    main()
