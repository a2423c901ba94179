"""Measurements other than blocks of calls: imports, checkpointing, pictures, examples.

It imports tinygrad_cnn in functions only. Every worker imports the modules of the command, and
another library must not run in a process with our settings of the allocator.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import networks, workloads
from .contestants import CONTESTANTS
from .measure import Effort, Samples, Start, peaks
from .rows import step_arguments

CHECKPOINT_TARGET = 0.5  # of the memory of a step without checkpoints
GRAPH_SECONDS, SVG_SECONDS, HTML_SECONDS = 5.0, 2.0, 3.0  # targets for waiting users


def in_process(code: str, timeout: float = 300) -> float:
    """Run `code` in a new Python process, and return the number that it prints last.

    The process writes compiled bytecode, as a user's does, even if this process does not.
    Raises RuntimeError if it fails.
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


def imports(names: Iterable[str], effort: Effort) -> Samples:
    """Seconds that importing each contestant takes after NumPy."""
    samples = Samples("s")
    modules = {name: CONTESTANTS[name].needs[0] for name in names}
    for done in range(effort.rounds + 1):
        for name, module in modules.items():
            code = (
                f"import numpy, time; t = time.perf_counter(); import {module}; "
                "print(time.perf_counter() - t)"
            )
            seconds = in_process(code)
            if done:  # the first run compiles bytecode
                samples.values.setdefault(name, []).append(seconds)
    return samples


# --- Checkpoints --------------------------------------------------------------------------------

CHECKPOINTED: dict[str, dict[str, Any]] = {  # each block is checkpointed
    "ResNet of 16 blocks, batch 64": step_arguments("resnet", 64, 3, 32, 32, width=16, blocks=4),
    "ResNet-18, batch 64": step_arguments("resnet", 64, 3, 32, 32),
}


@dataclass
class Checkpointing:
    """MiB that a step of a network takes `with_` and `without` checkpoints."""

    network: str
    contestant: str
    with_: float
    without: float
    target: float | None  # of the ratio


def checkpoints(names: Iterable[str], start: Start, effort: Effort) -> Iterator[Checkpointing]:
    """Measure each network for each contestant.

    Both figures include gradients and the state of the optimizer, 86 MiB for ResNet-18. Raises
    RuntimeError if a contestant fails.
    """
    for network, arguments in CHECKPOINTED.items():
        for name in names:
            found = []
            for checkpointed in (True, False):
                options = {**arguments["options"], "checkpointed": checkpointed}
                workload = "training_step", {**arguments, "options": options}
                samples = peaks([name], start, workload, effort)
                if name in samples.failed:
                    raise RuntimeError(f"{network}: {name} failed: {samples.failed[name]}")
                found.append(samples.median(name))
            target = CHECKPOINT_TARGET if CONTESTANTS[name].family == "ours" else None
            yield Checkpointing(network, name, found[0], found[1], target)


# --- Pictures and examples ----------------------------------------------------------------------


def pictures() -> Iterator[tuple[str, float, float]]:
    """(name, seconds, target): graphs of 100,000 ops recorded, folded and cut; ResNet-18 drawn."""
    import tinygrad_cnn as tc
    import visualize

    for name, y in (("chain", workloads.long_chain(tc)), ("random", workloads.tangle(tc))):
        start = time.perf_counter()
        picture = visualize.draw(y)
        drawn = len(picture.view.nodes)
        seconds = time.perf_counter() - start
        yield f"{name} of {len(picture.graph.nodes):,} nodes, {drawn} boxes", seconds, GRAPH_SECONDS
    model = networks.resnet(tc)
    loss = model(tc.ones(1, 3, 32, 32)).sum()
    with tempfile.TemporaryDirectory() as folder:
        for suffix, target in (("svg", SVG_SECONDS), ("html", HTML_SECONDS)):
            start = time.perf_counter()
            visualize.draw(loss, model).save(Path(folder) / f"net.{suffix}")
            yield f"ResNet-18 to {suffix}", time.perf_counter() - start, target


def examples(quick: bool) -> Iterator[tuple[str, str]]:
    """(example, the last line that it prints): the training examples, as users run them.

    Fashion-MNIST runs if the environment variable FASHION_MNIST names the folder of its files, and
    not if `quick`. (Debian's package dataset-fashion-mnist: /usr/share/datasets/fashion-mnist.)
    """
    scripts = Path(__file__).parent.parent / "examples"
    commands = []
    if importlib.util.find_spec("sklearn"):
        commands.append(["train_digits.py"])
        if "FASHION_MNIST" in os.environ and not quick:
            commands.append(["train_mnist.py", "--data", os.environ["FASHION_MNIST"]])
    for name, *arguments in commands:
        with tempfile.TemporaryDirectory() as folder:  # the example draws a picture into it
            command = [sys.executable, str(scripts / name), *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        yield name, done.stdout.strip().splitlines()[-1]
