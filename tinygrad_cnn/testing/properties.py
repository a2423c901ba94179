"""The properties that every call of every op must have, each a method that raises GradientError."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from .. import autograd
from ..engine import Observer, Op, observe, wrap
from .calls import Call, first, input_names
from .check import verify_adjoint
from .compare import close, same_bits
from .entries import entry_for
from .inputs import flipped, in_float32, plain
from .subject import Subject, pull_back
from .trial import Trial
from .values import Array


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


class OpTrial(Trial):
    """One call of an op, and the properties that it must have.

    `linear_in` names the inputs that the op is linear in.
    """

    subject: Subject

    def __init__(self, op: Op, call: Call, subject: Subject, linear_in: Sequence[str] = ()):
        super().__init__(subject)
        self.op, self.call = op, call
        names = input_names(op, call)
        self.linear = [k for k in subject.wrt if names[k].split("[")[0] in linear_in]
        self.y, self.g, self.other = self.ys[0], self.gs[0], self.others[0]

    def turned(self) -> Subject:
        """The same call at other values: see `flipped`."""
        return self.subject.moved(flipped(self.subject.xs))

    def vjp_is_adjoint(self) -> None:
        """Where the op is linear, the gradient is the adjoint, to rounding."""
        if self.linear:
            linear = Subject(
                self.subject.fn, self.subject.xs, self.linear, name=self.op.name,
                names=self.subject.names,
            )  # fmt: skip
            verify_adjoint(linear)

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
        """One Tensor as two inputs gets the sum of both gradients, with and without a graph."""
        xs = self.subject.xs
        alike = [
            (i, j)
            for i, j in combinations(self.subject.wrt, 2)
            if xs[i].shape == xs[j].shape and xs[i].dtype == xs[j].dtype
        ]
        for i, j in alike[:1]:
            fn, repeated = self.subject.fn, [xs[i] if k == j else x for k, x in enumerate(xs)]
            for record in (False, True):
                apart = Subject(fn, repeated, [i, j])
                tensors, outputs = apart.run()
                a, b = pull_back(outputs, [tensors[i], tensors[j]], [self.g], record)
                tensors[j] = tensors[i]
                both = pull_back([first(fn(*tensors))], [tensors[i]], [self.g], record)[0]
                if not close(plain(both), plain(a) + plain(b)):
                    where = f"{self.subject.names[i]} and {self.subject.names[j]}"
                    raise self.fail(f"one Tensor as {where}: not the sum of both gradients", k=i)


OpTrial.PROPERTIES = [
    OpTrial.shape_and_dtype,
    OpTrial.nothing_changed,
    OpTrial.same_bits_twice,
    OpTrial.calls_are_apart,
    OpTrial.vjp_is_right,
    OpTrial.vjp_is_adjoint,
    OpTrial.zero_gives_zero,
    OpTrial.vjp_is_linear,
    OpTrial.any_cotangent,
    OpTrial.arrays_as_tensors,
    OpTrial.gradients_own_memory,
    OpTrial.output_owns_memory,
    OpTrial.any_layout,
    OpTrial.gradients_apart,
    OpTrial.any_thread,
    OpTrial.float32_stays,
    OpTrial.composite_agrees,
    OpTrial.one_tensor_twice,
    OpTrial.second_order_is_right,
]
