"""One source of random numbers for both libraries: PyTorch gets the numbers that we draw.

In this package nothing is patched: only the seed is set. During a run, PyTorch's functions that
draw are replaced by functions over NumPy generators of the same seed, each by its definition
(replacements.py).
"""

import contextlib
from typing import Any
from unittest import mock

import numpy as np


@contextlib.contextmanager
def seeded(library: Any, seed: int) -> Any:
    """Inside this context `library` draws from a NumPy generator (PCG64) with that seed."""
    if library.__name__ != "torch":
        library.manual_seed(seed)
        yield
        return
    from .replacements import replacements

    with contextlib.ExitStack() as stack:
        for place, name, function in replacements(library, Draws(library, seed)):
            stack.enter_context(mock.patch.object(place, name, function))
        yield


class Generator:
    """`torch.Generator` over a NumPy generator, with the methods that scripts call."""

    def __init__(self, device: Any = "cpu", seed: int = 1):
        self.numpy = np.random.Generator(np.random.PCG64(seed))
        self._seed = seed

    def manual_seed(self, seed: int) -> "Generator":
        self._seed = seed % 2**64
        self.numpy.bit_generator.state = np.random.PCG64(self._seed).state
        return self

    def initial_seed(self) -> int:
        return self._seed


class Draws:
    """The default generator, which `drawing_from` replaces for a while, and draws as Tensors."""

    def __init__(self, torch: Any, seed: int):
        self.torch, self.default = torch, Generator(seed=seed)

    def source(self, generator: Generator | None = None) -> np.random.Generator:
        ours = isinstance(generator, Generator)  # PyTorch has a default of its own
        return (generator if ours else self.default).numpy

    @contextlib.contextmanager
    def drawing_from(self, generator: Generator) -> Any:
        before, self.default = self.default, generator
        try:
            yield
        finally:
            self.default = before

    def floats(self, method: str, shape: Any, dtype: Any, generator: Any = None) -> Any:
        """A Tensor of draws: float32 ones for that dtype, rounded float64 ones for the others."""
        kind = np.float32 if dtype == self.torch.float32 else np.float64
        draws = getattr(self.source(generator), method)(tuple(shape), kind)
        return self.torch.from_numpy(np.asarray(draws)).to(dtype)

    def below(self, p: Any, shape: Any, generator: Any = None) -> Any:
        """Where float64 draws from [0, 1) are below p: a Tensor of bools."""
        return self.floats("random", shape, self.torch.float64, generator) < p
