"""A case: an expression over `torch`, `nn` and `F`, its inputs, and the results of a library.

Inputs are made by formula, so that only results need to be stored.
"""

from __future__ import annotations

import warnings
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Input:
    """An array: its shape and its values. `kind` is real, positive, unit, ties, bool or int."""

    shape: tuple[int, ...]
    kind: str = "real"
    high: int = 5  # of integers, exclusive
    dtype: str = "float64"
    values: Any = None  # these, instead of a formula

    def make(self, name: str) -> np.ndarray:
        """The array: different for each name, the same on every machine."""
        if self.values is not None:
            return np.array(self.values, self.dtype).reshape(self.shape)
        size = int(np.prod(self.shape))
        unit = (np.arange(1, size + 1) * GOLDEN + zlib.crc32(name.encode()) / 2**32) % 1.0
        if self.kind == "bool":
            return (unit < 0.6).reshape(self.shape)
        if self.kind == "int":
            return np.floor(unit * self.high).astype(np.int64).reshape(self.shape)
        made = {
            "real": 4.0 * unit - 2.0 + 1e-3,
            "positive": 0.1 + 2.0 * unit,
            "unit": 0.03 + 0.94 * unit,
            "ties": np.round(4.0 * unit - 2.0),
        }[self.kind]
        return made.astype(self.dtype).reshape(self.shape)


def real(*shape: int, **how: Any) -> Input:
    """Numbers in [-2, 2], no two equal."""
    return Input(shape, **how)


def positive(*shape: int) -> Input:
    """Numbers in [0.1, 2.1]."""
    return Input(shape, "positive")


def unit(*shape: int) -> Input:
    """Numbers in [0.03, 0.97]."""
    return Input(shape, "unit")


def ties(*shape: int) -> Input:
    """-2, -1, 0, 1 and 2, as floats."""
    return Input(shape, "ties")


def integers(*shape: int, high: int = 5) -> Input:
    """int64 in [0, high)."""
    return Input(shape, "int", high, "int64")


def booleans(*shape: int) -> Input:
    """True more often than not."""
    return Input(shape, "bool")


def given(values: Any, dtype: str = "float64") -> Input:
    """These values."""
    return Input(np.shape(values), dtype=dtype, values=values)


@dataclass(frozen=True)
class Case:
    """`code` is an expression, or statements that set `y`; `grad` names the inputs to differentiate by
    (by default all of floating point); `order` is 2 where second derivatives are compared too.
    """

    name: str
    code: str
    inputs: dict[str, Input] = field(default_factory=dict)
    order: int = 2
    grad: tuple[str, ...] | None = None

    def run(self, torch: Any, nn: Any, F: Any, optim: Any = None) -> dict[str, Any]:
        """Results of `code`: `error`, or values `y0`, `y1` ..., gradients `d x`, `dd x`, facts."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return self._run({"torch": torch, "nn": nn, "F": F, "optim": optim, "np": np})
            except Exception as error:
                kind = next(
                    base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins"
                )
                return {"error": kind, "message": str(error)[:200]}

    def _run(self, scope: dict[str, Any]) -> dict[str, Any]:
        torch = scope["torch"]
        torch.manual_seed(0)
        arrays = {name: spec.make(f"{self.name} {name}") for name, spec in self.inputs.items()}
        tensors = {name: torch.tensor(array) for name, array in arrays.items()}
        named = self.grad
        if named is None:
            named = tuple(name for name, array in arrays.items() if array.dtype.kind == "f")
        for name in named:
            tensors[name].requires_grad_()
        scope |= tensors | {"fill": lambda module: fill(torch, module)}
        if "\n" in self.code or self.code.startswith("y ="):
            exec(self.code, scope)
            result = scope["y"]
        else:
            result = eval(self.code, scope)
        found: dict[str, Any] = {}
        module = scope.get("m") if isinstance(scope.get("m"), scope["nn"].Module) else None
        parameters = dict(module.named_parameters()) if module is not None else {}
        outputs = list(flat(torch, result))
        for k, y in enumerate(outputs):
            found[f"y{k}"] = plain(torch, y)
        wrt = {**{name: tensors[name] for name in named}, **parameters}
        found |= gradients(torch, outputs, wrt, self.order)
        if module is not None:
            found["str"] = str(module)
            found["state"] = [[n, list(t.shape)] for n, t in module.state_dict().items()]
            for name, buffer in module.named_buffers():
                found[f"buffer {name}"] = plain(torch, buffer)
        for name in scope.get("watch", ()):  # other changes by the code
            found[f"watch {name}"] = plain(torch, scope[name])
        return found


def fill(torch: Any, module: Any) -> Any:
    """Set the parameters and buffers of a module by formula, in float64, and return it."""
    module.double()
    for name, tensor in module.state_dict().items():
        array = tensor.detach().numpy()
        if array.dtype.kind == "f":
            kind = "positive" if "var" in name or name.endswith("_g") else "real"
            array[...] = 0.5 * Input(array.shape, kind).make(name)
    return module


def flat(torch: Any, result: Any) -> Any:
    """The Tensors and plain values of nested tuples, lists and dicts, in order."""
    if isinstance(result, (torch.Tensor, torch.Size)):
        yield result
    elif isinstance(result, (tuple, list)):
        for item in result:
            yield from flat(torch, item)
    elif isinstance(result, dict):
        for item in result.values():
            yield from flat(torch, item)
    elif result is not None:
        yield result


def plain(torch: Any, x: Any) -> Any:
    """The value of a Tensor as an array, or a plain value."""
    if isinstance(x, torch.Tensor):
        return np.array(x.detach().numpy(force=True))
    if isinstance(x, (bool, int, float, str)):
        return x
    return list(x) if isinstance(x, tuple) else str(x).removeprefix("torch.")  # of a dtype


def gradients(torch: Any, outputs: list[Any], wrt: dict[str, Any], order: int) -> dict[str, Any]:
    """The gradients of Σ u·y for signed u, and of Σ v·(these gradients)."""
    found: dict[str, Any] = {}

    def weighted(tensors: dict[str, Any]) -> Any:
        total = None
        for name, t in tensors.items():
            if isinstance(t, torch.Tensor) and t.requires_grad:
                u = torch.tensor(Input(tuple(t.shape)).make(name)).to(t.dtype)
                part = (u * t).sum()
                total = part if total is None else total + part.to(total.dtype)
        return total

    loss = weighted({f"u{k}": y for k, y in enumerate(outputs)})
    if loss is None or not wrt:
        return found
    names, tensors = list(wrt), list(wrt.values())
    first = torch.autograd.grad(loss, tensors, create_graph=order > 1, allow_unused=True)
    for name, g in zip(names, first, strict=True):
        found[f"d {name}"] = "unused" if g is None else plain(torch, g)
    if order > 1:
        again = weighted({f"v {n}": g for n, g in zip(names, first, strict=True) if g is not None})
        if again is not None:
            second = torch.autograd.grad(again, tensors, allow_unused=True)
            for name, g in zip(names, second, strict=True):
                found[f"dd {name}"] = "unused" if g is None else plain(torch, g)
    return found
