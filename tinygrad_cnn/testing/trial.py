"""The properties of every vjp, on arrays: of any function, of any library."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from .check import verify_adjoint, verify_second
from .compare import close, same_bits
from .core import Array, Subject
from .differences import precision
from .errors import GradientError
from .inputs import flipped
from .values import signed
from .verify import verify

# Other layouts add in another order, in the precision that the function uses inside.
LOOSE = 2.0**-33


class Trial:
    """A function at one point, and the properties that its vjp must have.

    Each property is a method that raises GradientError. `PROPERTIES` lists them, cheap ones first.
    `linear` numbers the inputs that the function is linear in.
    """

    PROPERTIES: ClassVar[list[Callable[[Any], None]]] = []

    def __init__(self, subject: Subject, linear: Sequence[int] = ()):
        self.subject, self.linear = subject, linear
        self.before = [x.copy() if isinstance(x, np.ndarray) else x for x in subject.xs]
        with np.errstate(all="ignore"):
            # copies, in case the function uses the memory again
            self.ys: list[Array] = [np.array(y, order="K") for y in subject.value(subject.xs)]
        rng = np.random.default_rng(1)
        self.gs = [signed(rng, y.shape, y.dtype) for y in self.ys]
        self.others = [signed(rng, y.shape, y.dtype) for y in self.ys]
        self.found = self.gradients(self.gs)
        self.second_order, self.allow_unseen = True, False

    def at(self, xs: Sequence[Any]) -> Subject:
        """The same function at other inputs."""
        return self.subject.moved(xs)

    def gradients(self, gs: Sequence[Array]) -> list[Array]:
        """The gradients for the cotangents gs."""
        return [np.asarray(g) for g in self.subject.vjp(self.subject.xs, list(gs))]

    def fail(self, verdict: str, detail: str = "", k: int | None = None) -> GradientError:
        """The error to raise, for input k if it is given."""
        where = None if k is None else self.subject.describe(k)
        return GradientError(verdict, detail, op=self.subject.name, input=where)

    def each(self, gradients: Sequence[Array]) -> list[tuple[int, Array, Array]]:
        """(number of the input, its first gradient, its gradient in `gradients`) for each input."""
        return list(zip(self.subject.wrt, self.found, gradients, strict=True))

    def agree(self, gradients: Sequence[Array], wanted: Sequence[Array], verdict: str) -> None:
        """Raise an error with this verdict unless two lists of gradients agree up to rounding."""
        for k, a, b in zip(self.subject.wrt, gradients, wanted, strict=True):
            if not close(a, b, precision([*self.ys, b])):
                raise self.fail(verdict, k=k)

    # --- the properties ---

    def shape_and_dtype(self) -> None:
        """Each gradient has the shape and dtype of its input."""
        for k, gradient in zip(self.subject.wrt, self.found, strict=True):
            x = self.subject.xs[k]
            if gradient.shape != x.shape or gradient.dtype != x.dtype:
                raise self.fail(f"the gradient is {gradient.shape} {gradient.dtype}", k=k)

    def nothing_changed(self) -> None:
        """Neither the function nor its vjp writes to an input or a cotangent."""
        gs = [g.copy() for g in self.gs]
        self.subject.value(self.subject.xs)
        self.gradients(self.gs)
        if not all(map(same_bits, gs, self.gs)):
            raise self.fail("the vjp changed the cotangent")
        for k, (before, after) in enumerate(zip(self.before, self.subject.xs, strict=True)):
            if isinstance(before, np.ndarray) and not same_bits(before, after):
                raise self.fail("input changed", k=k)

    def same_bits_twice(self) -> None:
        """Function and vjp are deterministic."""
        with np.errstate(all="ignore"):
            again = [np.asarray(y) for y in self.subject.value(self.subject.xs)]
        if not all(map(same_bits, self.ys, again)):
            raise self.fail("not deterministic", "the same call gave another result")
        for k, a, b in self.each(self.gradients(self.gs)):
            if not same_bits(a, b):
                raise self.fail("not deterministic", "the same call gave another gradient", k=k)

    def vjp_is_right(self) -> None:
        """The gradients agree with differences at two points.

        The second point finds a vjp that uses values of the first call.
        """
        allow = self.allow_unseen
        verify(self.subject, directions=1, allow_unseen=allow)
        try:
            again = self.at(flipped(self.subject.xs))
            verify(again, directions=1, seed=1, allow_unseen=allow)
        except GradientError as error:
            error.detail += (
                "\n  (at the inputs of the call reversed along all axes, "
                "after a run at the inputs themselves)"
            )
            raise

    def vjp_is_adjoint(self) -> None:
        """Where the function is linear, the gradient is the adjoint, to rounding."""
        if self.linear:
            verify_adjoint(self.subject, linear_in=self.linear)

    def zero_gives_zero(self) -> None:
        """Jᵀ 0 = 0."""
        for k, _, zero in self.each(self.gradients([np.zeros_like(g) for g in self.gs])):
            if np.any(zero != 0):
                raise self.fail("a cotangent of zeros gives a gradient that is not zero", k=k)

    def vjp_is_linear(self) -> None:
        """Jᵀ (2g − 3g') = 2 Jᵀg − 3 Jᵀg'."""
        both = self.gradients([2 * g - 3 * o for g, o in zip(self.gs, self.others, strict=True)])
        other = self.gradients(self.others)
        wanted = [2 * a - 3 * b for a, b in zip(self.found, other, strict=True)]
        self.agree(both, wanted, "the gradient is not linear in the cotangent")

    def any_cotangent(self) -> None:
        """Zeros, a single one, and numbers of another size in the cotangent are nothing special."""
        for name, parts in self.cotangents():
            with np.errstate(all="ignore"):
                total = [sum(terms) for terms in zip(*map(self.scaled, parts), strict=True)]
            if not all(np.isfinite(t).all() for t in (*total, *self.found)):
                continue  # too large for the dtype
            self.agree(total, self.found, f"the gradient is not linear: {name} in the cotangent")

    def scaled(self, part: tuple[float, list[Array]]) -> list[Array]:
        """factor · Jᵀ g for a pair of a factor and a cotangent."""
        factor, gs = part
        return [factor * g for g in self.gradients(gs)]

    def cotangents(self) -> Iterator[tuple[str, list[tuple[float, list[Array]]]]]:
        """Names of what a cotangent may hold, with factors and cotangents whose sum is `gs`."""
        rng = np.random.default_rng(2)
        masks = [rng.random(g.shape) < 0.5 for g in self.gs]
        halves = [[np.where(m, g, 0).astype(g.dtype) for m, g in zip(masks, self.gs, strict=True)],
                  [np.where(m, 0, g).astype(g.dtype) for m, g in zip(masks, self.gs, strict=True)]]  # fmt: skip
        yield "zeros", [(1.0, halves[0]), (1.0, halves[1])]
        j = next((j for j, g in enumerate(self.gs) if g.size), None)
        if j is not None:
            one, rest = [np.zeros_like(g) for g in self.gs], [g.copy() for g in self.gs]
            place = int(rng.integers(self.gs[j].size))
            one[j].flat[place], rest[j].flat[place] = 1, 0
            yield "a single one", [(float(self.gs[j].flat[place]), one), (1.0, rest)]
        coarse = max(float(np.finfo(g.dtype).eps) for g in self.gs) > 1e-6
        power = 3 if coarse else 20
        for factor in (2.0**power, 2.0**-power):
            yield "another size", [(1 / factor, [(factor * g).astype(g.dtype) for g in self.gs])]

    def any_layout(self) -> None:
        """The layout of inputs and cotangents in memory does not change the results."""
        for layout in (transposed, reversed_, gapped, read_only):
            xs = [layout(x) if isinstance(x, np.ndarray) else x for x in self.subject.xs]
            other, name = self.at(xs), layout.__name__.strip("_").replace("_", "-")
            with np.errstate(all="ignore"):
                ys = other.value(xs)
            loose = None if layout is read_only else LOOSE
            if not all(close(np.asarray(y), w, loose) for y, w in zip(ys, self.ys, strict=True)):
                raise self.fail(f"{name} inputs give another result")
            found = other.vjp(xs, [layout(g) for g in self.gs])
            for k, a, b in self.each([np.asarray(g) for g in found]):
                if not close(b, a, loose):
                    raise self.fail(f"{name} inputs: another gradient", k=k)
        for spread in ([np.broadcast_to(g.dtype.type(1), g.shape) for g in self.gs],
                       [_repeated(g) for g in self.gs]):  # fmt: skip
            copies = [g.copy() for g in spread]
            verdict = "a cotangent of stride 0: another gradient"
            self.agree(self.gradients(spread), self.gradients(copies), verdict)

    def repeated_rows(self) -> None:
        """Inputs whose rows are one row in memory, of stride 0, get the results of a copy."""
        xs = [_repeated(x) if isinstance(x, np.ndarray) else x for x in self.subject.xs]
        copies = [x.copy() if isinstance(x, np.ndarray) else x for x in xs]
        other = self.at(copies)
        with np.errstate(all="ignore"):
            try:
                ys, wanted = other.value(copies), other.vjp(copies, self.gs)
            except Exception:
                return  # equal rows are outside of the domain
            found = self.at(xs)
            if not all(close(np.asarray(a), np.asarray(b), LOOSE)
                       for a, b in zip(found.value(xs), ys, strict=True)):  # fmt: skip
                raise self.fail("inputs of stride 0 give another result")
            gradients = found.vjp(xs, self.gs)
        for k, a, b in zip(self.subject.wrt, gradients, wanted, strict=True):
            if not close(np.asarray(a), np.asarray(b), LOOSE):
                raise self.fail("inputs of stride 0: another gradient", k=k)

    def later_calls_are_apart(self) -> None:
        """A later call changes no gradient of an earlier one, and no two gradients share memory.

        A gradient may share the memory of the cotangent: the caller copies that.
        """
        found = [np.asarray(g) for g in self.subject.vjp(self.subject.xs, list(self.gs))]
        before = [g.copy() for g in found]
        xs = flipped(self.subject.xs)
        again = self.at(xs).vjp(xs, list(self.others))
        for k, a, b in zip(self.subject.wrt, before, found, strict=True):
            if not same_bits(a, b):
                raise self.fail("gradient aliases that of a later call", k=k)
        del again
        own = [g for g in found if not any(np.shares_memory(g, u) for u in self.gs)]
        for a, b in combinations(own, 2):
            if np.shares_memory(a, b):
                raise self.fail("two gradients share memory")

    def gradients_apart(self) -> None:
        """Each subset of the inputs has the gradients that all together have."""
        if len(self.subject.wrt) < 2:
            return
        for place, k in enumerate(self.subject.wrt):
            alone = self.subject.restricted([k])
            if alone is None:
                return
            (found,) = alone.vjp(alone.xs, self.gs)
            if not close(np.asarray(found), self.found[place], precision(self.ys)):
                raise self.fail("another gradient if no other input requires one", k=k)

    def any_thread(self) -> None:
        """Two threads at once get the gradients of one."""
        results: list[Any] = [None, None]

        def work(n: int) -> None:
            try:
                results[n] = self.gradients(self.gs)
            except Exception as error:
                results[n] = error

        threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            if isinstance(result, Exception):
                raise result
            for k, a, b in self.each(result):
                if not close(b, a):
                    raise self.fail("another gradient in another thread", k=k)

    def second_order_is_right(self) -> None:
        """The gradients of the gradients agree with differences."""
        verify_second(self.subject, directions=1, allow_unseen=self.allow_unseen)

    def run(self, second_order: bool = True, allow_unseen: bool = False) -> None:
        """Check all properties.

        Without `second_order`, no graph of a gradient is recorded. With `allow_unseen`, points
        where differences cannot tell pass.
        """
        self.second_order, self.allow_unseen = second_order, allow_unseen
        for check in self.PROPERTIES:
            if check.__name__ == "second_order_is_right" and not second_order:
                continue
            try:
                check(self)
            except GradientError as error:
                error.check = check.__name__.replace("_", " ")
                raise


Trial.PROPERTIES = [
    Trial.shape_and_dtype,
    Trial.nothing_changed,
    Trial.same_bits_twice,
    Trial.vjp_is_right,
    Trial.vjp_is_adjoint,
    Trial.zero_gives_zero,
    Trial.vjp_is_linear,
    Trial.any_cotangent,
    Trial.any_layout,
    Trial.repeated_rows,
    Trial.later_calls_are_apart,
    Trial.gradients_apart,
    Trial.any_thread,
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


def _repeated(x: Array) -> Array:
    return np.broadcast_to(x[:1], x.shape) if x.ndim and len(x) else x


def read_only(x: Array) -> Array:
    """The same values, in an array that cannot be written to."""
    copy = x.copy()
    copy.flags.writeable = False
    return copy
