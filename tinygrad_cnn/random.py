"""Random numbers: generators with a seed and a state that can be saved, and the default one.

Whatever draws takes a `generator=` and falls back on `default_generator`. The numbers come from
NumPy (PCG64), so they are not those that PyTorch draws for the same seed. NumPy locks the bit
generator for each call: threads may share a `Generator`, each number goes to one of them.
"""

from __future__ import annotations

import operator
import os
import threading
from typing import Any

import numpy as np

__all__ = [
    "Generator", "default_generator", "get_rng_state", "initial_seed", "manual_seed", "seed",
    "set_rng_state",
]  # fmt: skip

_making = threading.Lock()
_FIRST_SEED = 1  # of a Generator that was given none
_STATE = 48  # bytes: state and increment (16 each), a half-used draw (4 + 4), the seed (8)


class Generator:
    """A source of random numbers.

    The numbers come from its `numpy`, which stays the same object when the seed or the state is
    set.

    >>> generator = Generator().manual_seed(3)
    >>> saved = generator.get_state()
    >>> first = generator.numpy.random()
    >>> generator.set_state(saved).numpy.random() == first
    True
    """

    def __init__(self, device: Any = "cpu"):
        if str(getattr(device, "type", device)).partition(":")[0] != "cpu":
            raise RuntimeError(f"Generator: device {device!r} is not there: there is only the CPU")
        self._seed = _FIRST_SEED
        self._numpy: np.random.Generator | None = None

    def __repr__(self) -> str:
        return f"Generator(initial_seed={self._seed})"

    @property
    def numpy(self) -> np.random.Generator:
        """The NumPy generator (made when first asked for: importing numpy.random takes time)."""
        if self._numpy is None:
            with _making:
                if self._numpy is None:
                    self._numpy = np.random.Generator(np.random.PCG64(self._seed))
        return self._numpy

    def manual_seed(self, seed: int) -> Generator:
        """Start again from `seed`, from -2⁶³ to 2⁶⁴ - 1 (ValueError); a negative one wraps."""
        try:
            seed = operator.index(seed)
        except TypeError:
            raise TypeError(f"manual_seed expected an int, got {type(seed).__name__}") from None
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: {seed} is not between -2**63 and 2**64 - 1")
        fresh = np.random.PCG64(seed % 2**64).state
        with self.numpy.bit_generator.lock:
            self.numpy.bit_generator.state = fresh
            self._seed = seed % 2**64
        return self

    def seed(self) -> int:
        """Start again from a seed that the operating system draws, and return it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed that the generator was last started from."""
        return self._seed

    def get_state(self) -> np.ndarray:
        """Where the generator is: 48 bytes, an array of uint8."""
        with self.numpy.bit_generator.lock:
            at = self.numpy.bit_generator.state
            seed = self._seed
        numbers = (at["state"]["state"], at["state"]["inc"], at["has_uint32"], at["uinteger"], seed)
        parts = [
            int(number).to_bytes(size, "little")
            for number, size in zip(numbers, (16, 16, 4, 4, 8), strict=True)
        ]
        return np.frombuffer(b"".join(parts), np.uint8).copy()

    def set_state(self, new_state: Any) -> Generator:
        """Go to where `new_state`, an array or Tensor from `get_state`, was taken."""
        state = np.asarray(getattr(new_state, "_array", new_state))
        if state.dtype != np.uint8 or state.shape != (_STATE,):
            raise RuntimeError(
                f"Expected a generator state of {_STATE} bytes (uint8) but found "
                f"{state.dtype} of shape {state.shape}"
            )
        data = state.tobytes()
        number, increment, half, unused, seed = (
            int.from_bytes(data[begin:end], "little")
            for begin, end in ((0, 16), (16, 32), (32, 36), (36, 40), (40, 48))
        )
        with self.numpy.bit_generator.lock:
            self.numpy.bit_generator.state = {
                "bit_generator": "PCG64",
                "state": {"state": number, "inc": increment},
                "has_uint32": half,
                "uinteger": unused,
            }
            self._seed = seed
        return self

    def clone_state(self) -> Generator:
        """A generator of its own that will draw the same numbers."""
        return Generator().set_state(self.get_state())


default_generator = Generator()
default_generator._seed = int.from_bytes(os.urandom(8), "little")


class _Thread(threading.local):
    generator: Generator | None = None


_thread = _Thread()


class drawing_from:
    """What falls back on the default generator draws from this one: in this thread, in the block.

    So a data loader gives each batch numbers of its own, whichever thread makes it.
    """

    def __init__(self, generator: Generator):
        self._generator = generator

    def __enter__(self) -> Generator:
        self._before = _thread.generator
        _thread.generator = self._generator
        return self._generator

    def __exit__(self, *exc: object) -> None:
        _thread.generator = self._before


def _default() -> Generator:
    return _thread.generator or default_generator


def source(generator: Generator | None = None) -> np.random.Generator:
    """The NumPy generator to draw from: of `generator`, or of the default one."""
    return (generator or _default()).numpy


def uniform(shape: Any, dtype: Any, generator: Generator | None = None) -> np.ndarray:
    """Draws from U[0, 1), as an array."""
    return _drawn("random", shape, dtype, generator)


def standard_normal(shape: Any, dtype: Any, generator: Generator | None = None) -> np.ndarray:
    """Draws from N(0, 1), as an array."""
    return _drawn("standard_normal", shape, dtype, generator)


def _drawn(method: str, shape: Any, dtype: Any, generator: Generator | None) -> np.ndarray:
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise NotImplementedError(f"random numbers are of floating point, not {dtype}")
    draw = getattr(source(generator), method)
    return np.asarray(draw(shape, np.float32 if dtype == np.float32 else np.float64), dtype)


def integers(low: Any, high: Any, shape: Any, generator: Generator | None = None) -> np.ndarray:
    """Draws from low, ..., high − 1, as an array of int64. Raises RuntimeError for none such."""
    low, high = int(low), int(high)
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    return source(generator).integers(low, high, shape, dtype=np.int64)


def manual_seed(seed: int) -> Generator:
    """Start the default generator again from `seed`; return it.

    >>> import tinygrad_cnn as tc
    >>> _ = tc.manual_seed(0)
    >>> tc.initial_seed()
    0
    """
    return _default().manual_seed(seed)


def seed() -> int:
    """Start the default generator again from a seed that the system draws, and return it."""
    return _default().seed()


def initial_seed() -> int:
    """The seed that the default generator was last started from."""
    return _default().initial_seed()


def get_rng_state() -> np.ndarray:
    """Where the default generator is: 48 bytes, an array of uint8."""
    return _default().get_state()


def set_rng_state(new_state: Any) -> None:
    """Put the default generator where `new_state` was taken."""
    _default().set_state(new_state)
