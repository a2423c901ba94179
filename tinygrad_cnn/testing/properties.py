"""The properties that every call of every op must have, each a method that raises GradientError."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from .. import autograd
from ..engine import Observer, Op, observe, wrap
from .calls import Call, first, input_names
from .check import verify, verify_adjoint, verify_second_order
from .compare import close, same_bits
from .differences import precision
from .entries import entry_for
from .errors import GradientError
from .inputs import flipped, in_float32, plain
from .subject import Subject, pull_back
from .values import Array, signed


class _LastNode(Observer):
    """Records the gradients that the vjps of the last node returned."""

    gradients: Sequence[Array | None] = ()

    def vjp_ran(self, node: Any, g: Any, gradients: Sequence[Any]) -> None:
        self.gradients = self.gradients or list(gradients)


def straight_from_vjps(subject: Subject, g: Array) -> Sequence[Any]:
    """The gradients as the vjps return them, before the engine fits them to the inputs."""
    with observe(_LastNode()) as seen:
        subject.gradients([g])
    return seen.gradients


class Trial:
    """One call of an op, and the properties that it must have.

    `linear_in` names the inputs that the op is linear in.
    """

    def __init__(self, op: Op, call: Call, subject: Subject, linear_in: Sequence[str] = ()):
        self.op, self.call, self.subject = op, call, subject
        names = input_names(op, call)
        self.linear = [k for k in subject.wrt if names[k].split("[")[0] in linear_in]
        _, (output,) = subject.run()
        self.y: Array = plain(output).copy(order="K")  # in case the op uses the memory again
        rng = np.random.default_rng(1)
        self.g = signed(rng, self.y.shape, self.y.dtype)
        self.other = signed(rng, self.y.shape, self.y.dtype)
        self.found = self.gradients(self.g)
        self.second_order = True

    def turned(self) -> Subject:
        """The same call at other values: see `flipped`."""
        xs, names = flipped(self.subject.xs), self.subject.names
        return Subject(self.subject.fn, xs, self.subject.wrt, name=self.op.name, names=names)

    def gradients(self, g: Array) -> list[Array]:
        """The gradients for the cotangent g."""
        return self.subject.gradients([np.asarray(g)])

    def fail(self, verdict: str, detail: str = "", k: int | None = None) -> GradientError:
        """The error to raise, for input k if it is given."""
        return GradientError(
            verdict,
            detail,
            op=self.op.name,
            input=None if k is None else self.subject.describe(k),
        )

    def each(self, gradients: Sequence[Array]) -> list[tuple[int, Array, Array]]:
        """(number of the input, its first gradient, its gradient in `gradients`) for each input."""
        return list(zip(self.subject.wrt, self.found, gradients, strict=True))

    # --- the properties ---

    def vjp_is_right(self) -> None:
        """The gradients agree with central differences, at two points.

        The second point finds a vjp that uses values of the first call.
        """
        verify(self.subject, directions=1)
        try:
            verify(self.turned(), directions=1, seed=1)
        except GradientError as error:
            error.detail += (
                "\n  (at the inputs of the call reversed along all axes, "
                "after a run at the inputs themselves)"
            )
            raise

    def second_order_is_right(self) -> None:
        """The gradients of the gradients agree with differences."""
        verify_second_order(self.subject, directions=1)

    def vjp_is_adjoint(self) -> None:
        """Where the op is linear, the gradient is the adjoint, to rounding."""
        if self.linear:
            linear = Subject(
                self.subject.fn, self.subject.xs, self.linear, name=self.op.name,
                names=self.subject.names,
            )  # fmt: skip
            verify_adjoint(linear)

    def zero_gives_zero(self) -> None:
        """Jᵀ 0 = 0."""
        for k, _, zero in self.each(self.gradients(np.zeros_like(self.g))):
            if np.any(zero != 0):
                raise self.fail("a cotangent of zeros gives a gradient that is not zero", k=k)

    def vjp_is_linear(self) -> None:
        """Jᵀ (2g − 3g') = 2 Jᵀg − 3 Jᵀg'."""
        both, other = self.gradients(2 * self.g - 3 * self.other), self.gradients(self.other)
        for (k, one, sum_), two in zip(self.each(both), other, strict=True):
            if not close(sum_, 2 * one - 3 * two, precision([self.y, one])):
                raise self.fail("the gradient is not linear in the cotangent", k=k)

    def same_bits_twice(self) -> None:
        """Forward and backward are deterministic."""
        if not same_bits(self.y, plain(self.subject.run()[1][0])):
            raise self.fail("the same call gave another result")
        for k, a, b in self.each(self.gradients(self.g)):
            if not same_bits(a, b):
                raise self.fail("the same call gave another gradient", k=k)

    def arrays_as_tensors(self) -> None:
        """For arrays the op returns an array, with the values that it returns for Tensors."""
        with np.errstate(all="ignore"):
            bare = first(self.op.record(*self.subject.xs, **self.call.attributes))
        if not isinstance(bare, (np.ndarray, np.generic)):
            raise self.fail(f"given arrays, it returned {type(bare).__name__}, no array")
        if not close(np.asarray(bare), self.y):
            raise self.fail("given arrays, it returned another result than given Tensors")

    def shape_and_dtype(self) -> None:
        """Each gradient has the shape and dtype of its input.

        The vjp itself returns the dtype of the input or of the output.
        """
        raw = straight_from_vjps(self.subject, self.g)
        for k, gradient in zip(self.subject.wrt, self.found, strict=True):
            x = self.subject.xs[k]
            if gradient.shape != x.shape or gradient.dtype != x.dtype:
                raise self.fail(f"the gradient is {gradient.shape} {gradient.dtype}", k=k)
            if raw[k].dtype not in (x.dtype, self.y.dtype):
                raise self.fail(f"the vjp returned {raw[k].dtype}", k=k)

    def nothing_changed(self) -> None:
        """Backward writes to no input, output or cotangent, and can run a second time."""
        xs = [x.copy() if isinstance(x, np.ndarray) else x for x in self.subject.xs]
        g = self.g.copy()
        tensors, (output,) = self.subject.run()
        inputs = [tensors[k] for k in self.subject.wrt]
        y = plain(output).copy()
        pairs = [
            autograd.grad(output, inputs, wrap(self.g), retain_graph=True, materialize_grads=True)
            for _ in range(2)
        ]
        if not same_bits(g, self.g):
            raise self.fail("the vjp changed the cotangent")
        if not same_bits(y, plain(output)):
            raise self.fail("the vjp changed the output")
        for k, (before, after) in enumerate(zip(xs, self.subject.xs, strict=True)):
            if isinstance(before, np.ndarray) and not same_bits(before, after):
                raise self.fail("input changed", k=k)
        for k, a, b in zip(self.subject.wrt, *pairs, strict=True):
            if not same_bits(plain(a), plain(b)):
                raise self.fail("the vjp changed what is saved: backward again differs", k=k)

    def calls_are_apart(self) -> None:
        """A later call changes neither the output nor the gradients of an earlier one."""
        _, (y,) = self.subject.run()
        raw = straight_from_vjps(self.subject, self.g)
        found = [None if a is None else a.copy() for a in raw]
        again = straight_from_vjps(self.turned(), self.other)
        if not same_bits(plain(y), self.y):
            raise self.fail("output aliases that of a later call")
        for k, (before, now) in enumerate(zip(found, raw, strict=True)):
            if before is not None and not same_bits(before, now):
                raise self.fail("gradient aliases that of a later call", k=k)
        del again

    def gradients_own_memory(self) -> None:
        """No `.grad` shares memory with an input, the cotangent or another `.grad`."""
        tensors, (y,) = self.subject.run()
        y.backward(wrap(self.g))
        places = [("the cotangent", self.g)]
        places += [(n, x) for n, x in zip(self.subject.names, self.subject.xs, strict=True)
                   if isinstance(x, np.ndarray)]  # fmt: skip
        for k in self.subject.wrt:
            gradient = plain(tensors[k].grad)
            for name, array in places:
                if np.shares_memory(gradient, array):
                    raise self.fail(f"gradient aliases {name}", k=k)
            places.append((f"the gradient of {self.subject.names[k]}", gradient))

    def output_owns_memory(self) -> None:
        """The output shares no memory with an input, unless it is a view or `aliases` allows it."""
        entry = entry_for(self.op)
        if self.op.view or (entry and entry.aliases):
            return
        _, (y,) = self.subject.run()
        for name, x in zip(self.subject.names, self.subject.xs, strict=True):
            if isinstance(x, np.ndarray) and np.shares_memory(plain(y), x):
                raise self.fail(f"output aliases {name}, and the op is no view")

    def any_layout(self) -> None:
        """The layout of the inputs in memory does not change the results."""
        for layout in (transposed, reversed_, gapped):
            xs = [layout(x) if isinstance(x, np.ndarray) else x for x in self.subject.xs]
            other = Subject(self.subject.fn, xs, self.subject.wrt, name=self.op.name)
            _, (y,) = other.run()
            if not close(plain(y), self.y):
                raise self.fail(f"{layout.__name__.strip('_')} inputs give another result")
            for k, a, b in self.each(other.gradients([layout(self.g)])):
                if not close(b, a):
                    raise self.fail(f"{layout.__name__.strip('_')} inputs: another gradient", k=k)

    def float32_stays(self) -> None:
        """For float32 inputs, outputs and gradients are float32, and close to those in float64."""
        if "dtype" in self.op.attributes:
            if self.y.dtype != self.call.attributes.get("dtype", self.y.dtype):
                raise self.fail(f"the result is {self.y.dtype}, not of the requested dtype")
            return
        if self.y.dtype != np.float64:
            return
        xs = in_float32(self.subject.xs)
        other = Subject(self.subject.fn, xs, self.subject.wrt, name=self.op.name)
        y = plain(other.run()[1][0])
        if y.dtype != np.float32:
            raise self.fail(f"of float32 inputs it makes {y.dtype}")
        if not close(y, self.y, 1e-7):
            raise self.fail("in float32 the result is far from that in float64")
        g = self.g.astype(np.float32)
        raw = straight_from_vjps(other, g)
        for k, a, b in self.each(other.gradients([g])):
            if raw[k].dtype != np.float32:
                raise self.fail(f"in float32 the vjp makes {raw[k].dtype}", k=k)
            if not close(b, a, 1e-7):
                raise self.fail("in float32 the gradient is far from that in float64", k=k)

    def composite_agrees(self) -> None:
        """The composite of simpler ops has the same output and the same gradients."""
        if self.op.composite is None:
            return
        composite = self.op.composite
        other = Subject(
            lambda *xs: composite(*xs, **self.call.attributes), self.subject.xs, self.subject.wrt
        )
        if not close(plain(other.run()[1][0]), self.y):
            raise self.fail("the composite gives another result")
        for k, a, b in self.each(other.gradients([self.g])):
            if not close(b, a):
                raise self.fail("the composite gives another gradient", k=k)

    def one_tensor_twice(self) -> None:
        """One Tensor as two inputs gets the sum of both gradients, also of recorded gradients."""
        xs = self.subject.xs
        alike = [
            (i, j)
            for i, j in combinations(self.subject.wrt, 2)
            if xs[i].shape == xs[j].shape and xs[i].dtype == xs[j].dtype
        ]
        for i, j in alike[:1]:
            fn, repeated = self.subject.fn, [xs[i] if k == j else x for k, x in enumerate(xs)]
            for record in (False, True) if self.second_order else (False,):
                apart = Subject(fn, repeated, [i, j])
                tensors, outputs = apart.run()
                a, b = pull_back(outputs, [tensors[i], tensors[j]], [self.g], record)
                tensors[j] = tensors[i]
                both = pull_back([first(fn(*tensors))], [tensors[i]], [self.g], record)[0]
                if not close(plain(both), plain(a) + plain(b)):
                    where = f"{self.subject.names[i]} and {self.subject.names[j]}"
                    raise self.fail(f"one Tensor as {where}: not the sum of both gradients", k=i)

    def run(self, second_order: bool = True) -> None:
        """Check all properties, cheap ones first.

        Without `second_order`, no graph of a gradient is recorded.
        """
        self.second_order = second_order
        for check in PROPERTIES if second_order else PROPERTIES[:-1]:
            try:
                check(self)
            except GradientError as error:
                error.check = check.__name__.replace("_", " ")
                raise


PROPERTIES: list[Callable[[Trial], None]] = [  # second order is last: `run` may leave it out
    Trial.shape_and_dtype,
    Trial.nothing_changed,
    Trial.same_bits_twice,
    Trial.calls_are_apart,
    Trial.vjp_is_right,
    Trial.vjp_is_adjoint,
    Trial.zero_gives_zero,
    Trial.vjp_is_linear,
    Trial.arrays_as_tensors,
    Trial.gradients_own_memory,
    Trial.output_owns_memory,
    Trial.any_layout,
    Trial.float32_stays,
    Trial.composite_agrees,
    Trial.one_tensor_twice,
    Trial.second_order_is_right,
]


def transposed(x: Array) -> Array:
    """The same values, with the axes in the opposite order in memory."""
    return x.copy(order="F")


def reversed_(x: Array) -> Array:
    """The same values, with all strides negative."""
    back = (slice(None, None, -1),) * x.ndim
    return x[back].copy()[back] if x.ndim else x.copy()


def gapped(x: Array) -> Array:
    """The same values, in every second cell of a larger array along each axis."""
    if not x.ndim:
        return x.copy()
    whole = np.full([2 * n for n in x.shape], 7, x.dtype)
    part = whole[(slice(None, None, 2),) * x.ndim]
    part[...] = x
    return part
