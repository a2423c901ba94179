"""A process that is killed while it saves leaves the old file or the new one, and nothing else."""

from __future__ import annotations

import os
import random
import stat
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn as tc

from .children import context, kill, start
from .scenario import Scenario, Trial

LARGEST = 1_000_000  # elements
SAVES = 3  # after which the kill comes at the latest
MODE = 0o640


def content(number: int, size: int) -> dict[str, Any]:
    return {"number": number, "x": tc.from_numpy(np.full(size, number, np.float32))}


def save_forever(path: Path, size: int, named: bool, started: Any) -> None:
    """In the child: replace the file again and again."""
    if named and hasattr(os, "O_TMPFILE"):
        del os.O_TMPFILE  # as on a system that has no files without a name
    for number in count(1):
        begin = time.perf_counter()
        tc.save(content(number, size), path)
        if number == 1:
            started.send(time.perf_counter() - begin)


def examine(path: Path) -> str:
    """What is wrong with the file."""
    try:
        found = tc.load(path)
    except (OSError, tc.serialization.CheckpointError) as error:
        return f"no whole file ({type(error).__name__})"
    if not np.all(found["x"].numpy() == found["number"]):
        return "two contents in one file"
    return "" if stat.S_IMODE(path.stat().st_mode) == MODE else "another mode"


def trials(seed: int) -> Iterator[Trial]:
    """Every second child has scratch files with names."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.pt")
        tc.save(content(0, 1), path)
        path.chmod(MODE)
        for number in count():
            size = int(LARGEST ** rng.random())
            started, other = context.Pipe(duplex=False)
            child = start(save_forever, path, size, number % 2 == 1, other)
            other.close()
            seconds = started.recv()  # EOFError if the child has ended
            started.close()
            time.sleep(rng.random() * SAVES * seconds)
            kill(child)
            strays = len(os.listdir(folder)) - 1
            wrong = examine(path)
            tc.save(content(0, 1), path)
            if not wrong and os.listdir(folder) != [path.name]:
                wrong = "a stray file after the next save"
            yield Trial(wrong, {"strays before the next save": strays})


SCENARIO = Scenario("kills", "SIGKILL while a file is replaced", trials, count=1_000, short=4)
