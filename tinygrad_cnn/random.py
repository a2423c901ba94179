"""Random numbers: generators with a seed and a state that can be saved, and the default generator.

Functions that draw take a `generator=`, and use `default_generator` without one. The numbers come
from NumPy (PCG64): PyTorch draws others for the same seed. Threads may share a `Generator`, because
NumPy locks the bit generator for each call; each number goes to one thread.
"""

from __future__ import annotations

import operator
import os
import threading
import weakref
from functools import partial
from typing import Any

import numpy as np

from .atomic import Closing, as_one
from .dtypes import shown
from .engine.dtypes import FLOATING
from .metadata import check_device
from .types import Device, Ints

__all__ = [
    "Generator", "default_generator", "get_rng_state", "initial_seed", "manual_seed", "seed",
    "set_rng_state",
]  # fmt: skip

_FIRST_SEED = 1  # of a new Generator
_STATE_BYTES = 48  # state and increment (16 each), a half-used draw (4 + 4), the seed (8)


class Generator:
    """A source of random numbers, with a seed and a state.

    Its attribute `numpy` draws the numbers. That stays the same object when the seed or the state is
    set. RuntimeError for another device than the CPU.

    >>> generator = Generator().manual_seed(3)
    >>> saved = generator.get_state()
    >>> first = generator.numpy.random()
    >>> generator.set_state(saved).numpy.random() == first
    True
    """

    def __init__(self, device: Device = "cpu"):
        check_device("Generator", device)
        self._seed = _FIRST_SEED

    def __repr__(self) -> str:
        return f"Generator(initial_seed={self._seed})"

    @property
    def numpy(self) -> np.random.Generator:
        """The NumPy generator. The first use makes it, because importing numpy.random takes time.

        >>> 0 <= tc.Generator().numpy.random() < 1
        True
        """
        made = vars(self).get("_numpy")
        if made is None:
            made = np.random.Generator(np.random.PCG64(self._seed))
            made = vars(self).setdefault("_numpy", made)  # one of two threads is first
            _note(self)
        return made

    def manual_seed(self, seed: int) -> Generator:
        """Start again from `seed`, which counts modulo 2⁶⁴. Returns this generator.

        TypeError unless it is an integer, ValueError unless it is from −2⁶³ to 2⁶⁴ − 1.

        >>> tc.Generator().manual_seed(3)
        Generator(initial_seed=3)
        """
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
        """Start again from a seed that the operating system draws. Returns the seed.

        >>> generator = tc.Generator()
        >>> generator.seed() == generator.initial_seed()
        True
        """
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The last seed that was set.

        >>> tc.Generator().manual_seed(3).initial_seed()
        3
        """
        return self._seed

    def get_state(self) -> np.ndarray:
        """The state: 48 bytes, as an array of uint8.

        >>> tc.Generator().get_state().nbytes
        48
        """
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
        """Restore a state from `get_state`: an array, or a Tensor. Returns this generator.

        RuntimeError unless it is 48 bytes of uint8.

        >>> state = tc.Generator().manual_seed(3).get_state()
        >>> tc.Generator().set_state(state)
        Generator(initial_seed=3)
        """
        state = np.asarray(getattr(new_state, "_array", new_state))
        if state.dtype != np.uint8 or state.shape != (_STATE_BYTES,):
            raise RuntimeError(
                f"Expected a generator state of {_STATE_BYTES} bytes (uint8) but found "
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
        """A new generator in the same state: it draws the same numbers.

        >>> generator = tc.Generator()
        >>> twin = generator.clone_state()
        >>> tc.equal(tc.rand(2, generator=generator), tc.rand(2, generator=twin))
        True
        """
        return Generator().set_state(self.get_state())


# --- Forks --------------------------------------------------------------------------------------

_made: dict[int, weakref.ref[Generator]] = {}  # by id, those with a NumPy generator
_held: dict[int, list[tuple[Any, bool]]] = {}  # by a thread that forks
_WAIT_SECONDS = 1.0  # for the draws of another thread


def _note(generator: Generator) -> None:
    key = id(generator)
    _made[key] = weakref.ref(generator, lambda _: _made.pop(key, None))


def _before_fork() -> None:
    """Wait until no generator is in use, so that the child finds its state whole and its lock free."""
    held = _held.setdefault(threading.get_ident(), [])
    for reference in list(_made.values()):
        generator = reference()
        if generator is not None:
            lock = generator.numpy.bit_generator.lock
            held.append((lock, lock.acquire(timeout=_WAIT_SECONDS)))


def _after_fork(renew: bool = False) -> None:
    for lock, is_ours in _held.pop(threading.get_ident(), ()):
        if is_ours:
            lock.release()
        elif renew:  # the thread that draws is not in the child
            lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=lambda: _after_fork(True)
    )


default_generator = Generator()
default_generator._seed = int.from_bytes(os.urandom(8), "little")


class _Thread(threading.local):
    generator: Generator | None = None


_thread = _Thread()


class drawing_from(Closing):
    """In the `with` block, `generator` is the default generator of this thread.

    So a data loader gives each batch its own numbers, in any thread.
    """

    def __init__(self, generator: Generator):
        self._generator = generator

    def __enter__(self) -> Generator:  # type: ignore[override]
        own = vars(_thread)
        self.close = partial(own.__setitem__, "generator", _thread.generator)
        own["generator"] = self._generator
        return self._generator


class restoring(Closing):
    """After the `with` block, the default generator of this thread is in the state of before."""

    def __enter__(self) -> None:  # type: ignore[override]
        generator = _default()
        bits = generator.numpy.bit_generator
        state, seed = bits.state, generator._seed
        self.close = as_one(
            partial(setattr, bits, "state", state), partial(setattr, generator, "_seed", seed)
        )


def _default() -> Generator:
    return _thread.generator or default_generator


def source(generator: Generator | None = None) -> np.random.Generator:
    """The NumPy generator of `generator`, or of the default generator."""
    return (generator or _default()).numpy


def uniform(shape: Ints, dtype: np.dtype[Any], generator: Generator | None = None) -> np.ndarray:
    """An array of draws from the uniform distribution on [0, 1)."""
    return _drawn("random", shape, dtype, generator)


def standard_normal(
    shape: Ints, dtype: np.dtype[Any], generator: Generator | None = None
) -> np.ndarray:
    """An array of draws from the normal distribution of mean 0 and variance 1."""
    return _drawn("standard_normal", shape, dtype, generator)


def _drawn(
    method: str, shape: Ints, dtype: np.dtype[Any], generator: Generator | None
) -> np.ndarray:
    if dtype.kind not in FLOATING:
        raise NotImplementedError(f"random numbers are of floating point, not {shown(dtype)}")
    draw = getattr(source(generator), method)
    return np.asarray(draw(shape, np.float32 if dtype == np.float32 else np.float64), dtype)


def integers(low: int, high: int, shape: Ints, generator: Generator | None = None) -> np.ndarray:
    """An array of int64, drawn from low, ..., high − 1. RuntimeError if there are no such integers."""
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    return source(generator).integers(low, high, shape, dtype=np.int64)


def manual_seed(seed: int) -> Generator:
    """Start the default generator again from `seed`, which counts modulo 2⁶⁴. Returns the generator.

    TypeError unless it is an integer, ValueError unless it is from −2⁶³ to 2⁶⁴ − 1.

    >>> _ = tc.manual_seed(0)
    >>> tc.initial_seed()
    0
    """
    return _default().manual_seed(seed)


def seed() -> int:
    """Start the default generator again from a seed that the system draws. Returns the seed.

    >>> tc.seed() == tc.initial_seed()
    True
    """
    return _default().seed()


def initial_seed() -> int:
    """The last seed of the default generator: from `manual_seed`, or drawn by the system.

    >>> _ = tc.manual_seed(7)
    >>> tc.initial_seed()
    7
    """
    return _default().initial_seed()


def get_rng_state() -> np.ndarray:
    """The state of the default generator: 48 bytes, as an array of uint8.

    >>> state = tc.get_rng_state()
    >>> first = tc.rand(2)
    >>> tc.set_rng_state(state)
    >>> tc.equal(tc.rand(2), first)
    True
    """
    return _default().get_state()


def set_rng_state(new_state: Any) -> None:
    """Restore a state of the default generator, from `get_rng_state`.

    RuntimeError unless it is 48 bytes of uint8.

    >>> state = tc.get_rng_state()
    >>> first = tc.randn(2)
    >>> tc.set_rng_state(state)
    >>> tc.equal(tc.randn(2), first)
    True
    """
    _default().set_state(new_state)
