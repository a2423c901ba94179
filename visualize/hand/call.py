"""The call of an op in a worked graph: its formulas, and the elements of its inputs that meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import engine

from .arithmetic import Formula
from .formulas import Formulas, formulas_of
from .windows import MAX_ELEMENTS, Array, Window, values_of, windows
from .worked import Quantity

TOLERANCE = 1e-3  # relative, between a formula's number and the engine's
COARSE_TOLERANCE = 2e-2  # of float16 and bfloat16


class Call:
    """The call of an op: which element of each input belongs to each element of the output."""

    def __init__(self, quantity: Quantity, everything: Sequence[Quantity]) -> None:
        assert quantity.node is not None
        self.quantity, self.node = quantity, quantity.node
        self.at = next(k for k, q in enumerate(everything) if q is quantity)
        self._all = everything
        op = self.node.op
        self.inputs: Sequence[str] = op.inputs if not op.variadic else ()
        text = getattr(getattr(op, "forward", None), "__doc__", None) or getattr(op, "__doc__", "")
        if not isinstance(op, engine.Op):
            text = getattr(getattr(op, "function", op), "__doc__", "")
        self._formulas = (
            Formulas(None, {}) if op.variadic
            else formulas_of(_cleaned(text), op.inputs, op.attributes)
        )  # fmt: skip
        self.places = [self._broadcast(k) for k in quantity.inputs]
        self.pointwise = (
            all(p is not None for p, k in zip(self.places, quantity.inputs, strict=True) if k is not None)
            and 0 < quantity.size <= MAX_ELEMENTS
            and not op.variadic
        )  # fmt: skip
        dtype = self.node.dtype  # None for several outputs
        coarse = dtype is not None and dtype.itemsize <= 2
        self.tolerance = COARSE_TOLERANCE if coarse else TOLERANCE
        self._windows: dict[int, Window] | None = None

    def _broadcast(self, k: int | None) -> Any:
        """For each element of the output, the element of the input that meets it; None without one."""
        if k is None or self._all[k].size > MAX_ELEMENTS or self.quantity.size > MAX_ELEMENTS:
            return None
        index = np.arange(self._all[k].size).reshape(self._all[k].shape)
        try:
            return np.broadcast_to(index, self.quantity.shape).ravel()
        except ValueError:
            return None

    @property
    def windows(self) -> dict[int, Window]:
        """The windows of the inputs, computed once."""
        if self._windows is None:
            values = [None if k is None else self._all[k].value for k in self.quantity.inputs]
            self._windows = windows(self.node, values, self.knows_all())
        return self._windows

    def slots(self) -> list[tuple[int, int]]:
        """Number and position of each input that was given."""
        return [(slot, k) for slot, k in enumerate(self.quantity.inputs) if k is not None]

    def slot_places(self) -> list[Any]:
        """The places of the inputs that were given."""
        return [self.places[slot] for slot, _ in self.slots()]

    def used(self, output: bool = True) -> list[tuple[int, Any]]:
        """The inputs and the output, each with its element for each element of the output."""
        found = [(k, self.places[slot]) for slot, k in self.slots()]
        return [*found, (self.at, range(self.quantity.size))] if output else found

    def values(self, j: int) -> dict[str, Any]:
        """The numbers that a formula can use, for an element of the output."""
        found: dict[str, Any] = dict(self.node.attributes)
        for (slot, k), at in zip(self.slots(), self.slot_places(), strict=True):
            value = self._all[k].value
            if value is not None and at is not None:
                found[self.inputs[slot]] = float(values_of(value).flat[at[j]])
        if self.quantity.value is not None:
            found["y"] = float(values_of(self.quantity.value).flat[j])
        return found

    def output_formula(self, y: Array) -> Formula | None:
        """The formula of the output, if it gives these numbers."""
        formula = self._formulas.output if self.pointwise else None
        if formula is None or not self.knows_all():
            return None
        for j, value in enumerate(y):
            values = self.values(j)
            found = formula.pieces[formula.case(values)][0].value(values)
            if not np.isclose(found, value, rtol=self.tolerance, atol=1e-6):
                return None
        return formula

    def gradient_formula(self, slot: int) -> Formula | None:
        """The formula of the gradient of an input."""
        if not self.pointwise:
            return None
        formula = self._formulas.gradients.get(self.inputs[slot])
        return formula if formula is None or formula.decided_by() <= self.values(0).keys() else None

    def knows_all(self) -> bool:
        """Whether the values of all inputs are known."""
        return all(self._all[k].value is not None for _, k in self.slots())

    def kernel_elements(self) -> int:
        """How many cells the window of a pooling has, or of a convolution; 0 if it is another op."""
        size = self.node.attributes.get("kernel_size")
        if size is not None:
            return math.prod(size) if isinstance(size, tuple) else int(size) ** 2
        weight = self.quantity.inputs[1] if len(self.quantity.inputs) > 1 else None
        if weight is None or self.node.op.name != "conv2d":
            return 0
        return math.prod(self._all[weight].shape[1:])


def _cleaned(text: str | None) -> str:
    return "\n".join(line.strip() for line in (text or "").splitlines())
