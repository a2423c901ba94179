"""The outcome of a program of inplace_cases.py, with PyTorch or with this package."""

import traceback
import warnings
from typing import Any

from .inplace_cases import PRELUDE


def outcome(program: str, lib: Any) -> dict[str, Any]:
    """The names that the program defines, or its error, as JSON values."""
    scope: dict[str, Any] = {"torch": lib, "nn": lib.nn, "F": lib.nn.functional}
    exec(PRELUDE, scope)
    hidden = {*scope, "error", "warnings"} - set("abcm")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            exec(compile(program.strip(), "<program>", "exec"), scope)
            names = sorted(set(scope) - hidden - {"__warningregistry__"})
            return {name: told(scope[name], lib) for name in names}
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == "<program>"]
            line = lines[0] if lines else None  # None: raised when the outcome was read
            return {"error": type(error).__name__, "line": line, "message": str(error)[:300]}


def told(x: Any, lib: Any) -> Any:
    if not isinstance(x, lib.Tensor):
        return x
    gradient = None
    if x.requires_grad and (x.is_leaf or x.retains_grad) and x.grad is not None:
        gradient = x.grad.tolist()
    return {
        "value": x.tolist(),
        "leaf": x.is_leaf,
        "requires_grad": x.requires_grad,
        "grad": gradient,
    }
