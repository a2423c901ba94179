"""Run a script as `__main__` in a temporary directory, and keep its losses and its output."""

import contextlib
import io
import os
import random
import re
import runpy
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from .loading import changed
from .randomness import seeded
from .script_cases import Script

SCRIPTS = Path(__file__).parent / "scripts"
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?")


@dataclass
class Run:
    """Each Tensor whose `backward` was called, summed, with all digits; and the standard output."""

    losses: list[float] = field(default_factory=list)
    text: str = ""

    def words(self) -> str:
        """The output without its numbers."""
        return NUMBER.sub("#", self.text)

    def numbers(self) -> list[str]:
        """The numbers in the output, as printed."""
        return NUMBER.findall(self.text)


def run(script: Script, library: Any, dtype: str = "float64", seed: int | None = 0) -> list[Run]:
    """Each run of a script, with `library`: PyTorch or this package.

    With a seed, both draw the same numbers. Without one nothing is set, and `learns` is run.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{script.file}.py")
        source = (SCRIPTS / path.name).read_text()
        path.write_text(source if library.__name__ == "torch" else changed(source))
        lines = [script.learns] if seed is None else script.runs
        return [_run(path, shlex.split(line), library, dtype, seed) for line in lines]


def _run(path: Path, argv: list[str], library: Any, dtype: str, seed: int | None) -> Run:
    result, output = Run(), io.StringIO()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        enter(_settings(library, dtype))
        if seed is not None:
            enter(_python_seeded(seed))
            enter(seeded(library, seed))
        enter(_losses(library, result.losses))
        enter(mock.patch.object(sys, "argv", [path.name, *argv]))
        enter(contextlib.chdir(path.parent))
        enter(mock.patch.dict(os.environ))
        enter(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        enter(contextlib.redirect_stdout(output))
        runpy.run_path(str(path), run_name="__main__")
    result.text = output.getvalue()
    return result


@contextlib.contextmanager
def _settings(library: Any, dtype: str) -> Iterator[None]:
    """The default dtype. After a run it is as before, and no anomaly is looked for."""
    before = library.get_default_dtype()
    library.set_default_dtype(getattr(library, dtype))
    try:
        yield
    finally:
        library.set_default_dtype(before)
        library.autograd.set_detect_anomaly(False)


@contextlib.contextmanager
def _python_seeded(seed: int) -> Iterator[None]:
    """The generators of Python and NumPy, which are the same for both libraries."""
    python, numpys = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpys)


def _losses(library: Any, losses: list[float]) -> Any:
    """A hook on `Tensor.backward` that appends to `losses`."""
    backward = library.Tensor.backward

    def hooked(self: Any, *args: Any, **options: Any) -> None:
        losses.append(float(self.detach().sum()))
        backward(self, *args, **options)

    return mock.patch.object(library.Tensor, "backward", hooked)


def as_json(runs: list[Run]) -> list[dict[str, Any]]:
    """Runs as they are recorded."""
    return [asdict(one) for one in runs]
