"""One source of random numbers for both libraries: PyTorch gets the numbers that we draw.

In this package nothing is patched: only the seed is set. During a run, PyTorch's functions that
draw are replaced by functions over a NumPy generator of the same seed, each by its definition.
"""

import contextlib
import math
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
    with contextlib.ExitStack() as stack:
        for place, name, function in _replacements(library, seed):
            stack.enter_context(mock.patch.object(place, name, function))
        yield


def _replacements(torch: Any, seed: int) -> list[tuple[Any, str, Any]]:
    rng = np.random.Generator(np.random.PCG64(seed))
    F = torch.nn.functional

    def manual_seed(seed: int) -> None:
        rng.bit_generator.state = np.random.PCG64(seed).state

    def drawn(method: str, shape: Any, dtype: Any) -> Any:
        kind = np.float32 if dtype == torch.float32 else np.float64
        return torch.from_numpy(np.asarray(getattr(rng, method)(tuple(shape), kind)))

    def maker(method: str) -> Any:
        def make(*shape: Any, dtype: Any = None, device: Any = None) -> Any:
            shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
            return drawn(method, shape, dtype or torch.get_default_dtype())

        return make

    def like(method: str) -> Any:
        return lambda x: drawn(method, x.shape, x.dtype)

    def normal_(x: Any, mean: float = 0, std: float = 1, *, generator: Any = None) -> Any:
        return x.copy_(drawn("standard_normal", x.shape, x.dtype) * std + mean)

    def uniform_(x: Any, a: float = 0, b: float = 1, *, generator: Any = None) -> Any:
        return x.copy_(drawn("random", x.shape, x.dtype) * (b - a) + a)

    def dropout(axes: int | None) -> Any:
        """The mask has the size of the input in the first `axes` axes, and 1 in the others."""

        def function(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
            if not training or p == 0:
                return x
            shape = [n if axes is None or k < axes else 1 for k, n in enumerate(x.shape)]
            kept = drawn("random", shape, x.dtype) >= p
            mask = kept.to(x.dtype) / (1 - p)
            return x.mul_(mask) if inplace else x * mask

        return function

    def randint(low: int, high: Any, size: Any = None, **options: Any) -> Any:
        if size is None:
            low, high, size = 0, low, high
        return torch.from_numpy(rng.integers(low, high, tuple(size)))

    assert math.isclose(torch.get_default_dtype().itemsize, 8)
    return [
        (torch, "manual_seed", manual_seed),
        (torch, "rand", maker("random")),
        (torch, "randn", maker("standard_normal")),
        (torch, "rand_like", like("random")),
        (torch, "randn_like", like("standard_normal")),
        (torch, "randint", randint),
        (torch, "randperm", lambda n, **options: torch.from_numpy(rng.permutation(n))),
        (torch, "bernoulli", lambda p: (drawn("random", p.shape, p.dtype) < p).to(p.dtype)),
        (torch.Tensor, "normal_", normal_),
        (torch.Tensor, "uniform_", uniform_),
        (F, "dropout", dropout(None)),
        (F, "dropout1d", dropout(2)),
        (F, "dropout2d", dropout(2)),
    ]
