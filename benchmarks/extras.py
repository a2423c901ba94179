"""Measured otherwise than by calls: imports, what checkpointing saves, pictures of large graphs, the
examples as users run them.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tinygrad_cnn as tc

from . import networks, works
from .contestants import ALL
from .measure import Effort, Samples, Sits, peaks
from .rows import step


def in_process(code: str, timeout: float = 300) -> float:
    """Run `code` in a new Python process, which prints a number last, and return that.

    It keeps compiled bytecode, as users' do, whatever this process was told.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment,
    )
    if done.returncode:
        raise RuntimeError(f"the measured process failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.strip().splitlines()[-1])


def imports(names: list[str], effort: Effort) -> Samples:
    """Seconds that importing each takes beyond NumPy's."""
    samples = Samples("s")
    modules = {name: ALL[name].needs[0] for name in names}
    for done in range(effort.rounds + 1):
        for name, module in modules.items():
            code = (
                f"import numpy, time; t = time.perf_counter(); import {module}; "
                "print(time.perf_counter() - t)"
            )
            taken = in_process(code)
            if done:  # the first compiles bytecode
                samples.taken.setdefault(name, []).append(taken)
    return samples


CHECKPOINTED: dict[str, dict[str, Any]] = {  # each block is a part
    "ResNet of 16 blocks, batch 64": step("resnet", 64, 3, 32, 32, width=16, blocks=4),
    "ResNet-18, batch 64": step("resnet", 64, 3, 32, 32),
}


def checkpoints(
    names: list[str], sit: Callable[[str], Sits], effort: Effort
) -> Iterator[tuple[str, str, float, float, float | None]]:
    """(network, contestant, MiB that a step takes with checkpoints and without, target of the ratio).

    Gradients and the optimizer's state are in both: of ResNet-18 86 MiB.
    """
    for network, its in CHECKPOINTED.items():
        for name in names:
            found = []
            for checkpointed in (True, False):
                options = {**its["options"], "checkpointed": checkpointed}
                samples = peaks([name], sit, ("training_step", {**its, "options": options}), effort)
                if name in samples.failed:
                    raise RuntimeError(f"{network}: {name} failed: {samples.failed[name]}")
                found.append(samples.median(name))
            target = 0.5 if ALL[name].family == "ours" else None
            yield network, name, found[0], found[1], target


def pictures() -> Iterator[tuple[str, float, float]]:
    """(what, seconds, target): graphs of 100,000 ops walked, folded and cut; ResNet-18 drawn."""
    import visualize

    for name, y in (("chain", works.long_chain(tc)), ("random", works.tangle(tc))):
        start = time.perf_counter()
        picture = visualize.draw(y)
        drawn = len(picture.view.nodes)
        seconds = time.perf_counter() - start
        yield f"{name} of {len(picture.graph.nodes):,} nodes, {drawn} boxes", seconds, 5
    model = networks.resnet(tc)
    loss = model(tc.ones(1, 3, 32, 32)).sum()
    with tempfile.TemporaryDirectory() as folder:
        for ending, target in (("svg", 2), ("html", 3)):
            start = time.perf_counter()
            visualize.draw(loss, model).save(Path(folder) / f"net.{ending}")
            yield f"ResNet-18 to {ending}", time.perf_counter() - start, target


def jobs(quick: bool) -> Iterator[tuple[str, str]]:
    """(example, what it prints last): the main jobs, as users run them.

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
        yield name, done.stdout.strip().splitlines()[-1]
