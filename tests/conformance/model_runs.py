"""A training step of a case, with PyTorch or with this package, and all resulting numbers."""

import warnings
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .loading import load
from .model_cases import CASES, Case
from .randomness import seeded

FIRST = 16  # how many elements of an output are recorded
FEW = 4  # and of a gradient or a parameter


@dataclass
class Result:
    """Results of a run: arrays by name; text, and names and shapes of the state, of modules."""

    values: dict[str, np.ndarray] = field(default_factory=dict)  # loss, outputs
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    state: dict[str, np.ndarray] = field(default_factory=dict)  # after the steps
    initial: dict[str, np.ndarray] = field(default_factory=dict)  # as the constructors made it
    text: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, list[str]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)


def drawn(kind: str, shape: tuple[int, ...], classes: int = 0, *, rng: Any) -> np.ndarray:
    if kind == "labels":
        return rng.integers(0, classes, shape)
    return rng.standard_normal(shape) if kind == "normal" else rng.random(shape)


def weights(name: str, like: np.ndarray, seed: int) -> np.ndarray:
    """Values for the entry `name` of a state dict: of a size that keeps a deep network alive."""
    if like.dtype.kind != "f":
        return like
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    normal = rng.standard_normal(like.shape)
    if name.endswith("running_var"):
        return 0.5 + rng.random(like.shape)
    if like.ndim < 2:
        return (1.0 if name.endswith("weight") else 0.0) + 0.1 * normal
    return normal * np.sqrt(2.0 / max(1, like[0].size))


def numbers(x: Any) -> np.ndarray:
    return np.array(x.detach().numpy() if hasattr(x, "detach") else x)


def flat(name: str, x: Any) -> dict[str, np.ndarray]:
    """The arrays of a tensor, or of tensors in tuples and dicts."""
    if isinstance(x, dict):
        return {k: v for key, value in x.items() for k, v in flat(f"{name}.{key}", value).items()}
    if isinstance(x, (tuple, list)):
        return {k: v for i, value in enumerate(x) for k, v in flat(f"{name}.{i}", value).items()}
    return {name: numbers(x)}


def run(case: Case | str, lib: Any, seed: int = 0, leaves: bool = False, steps: int = 2,
        dtype: str = "float64") -> Result:  # fmt: skip
    """Make the modules, copy weights into them, train `steps` steps and test once.

    Values and gradients are the first step's, the state is the last one's. With `leaves` the
    images get gradients too.
    """
    case = CASES[case] if isinstance(case, str) else case
    result = Result()
    before = lib.get_default_dtype()
    lib.set_default_dtype(getattr(lib, dtype))
    try:
        with seeded(lib, seed), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*weight_norm.*deprecated", FutureWarning)
            scope = {"torch": lib, "nn": lib.nn, "F": lib.nn.functional, "optim": lib.optim}
            scope["m"] = load(case.file, lib)
            _run(case, lib, scope, result, seed, leaves, steps, dtype)
    finally:
        lib.set_default_dtype(before)
    return result


def _run(case: Case, lib: Any, scope: dict[str, Any], result: Result, seed: int, leaves: bool,
         steps: int, dtype: str) -> None:  # fmt: skip
    exec(case.make, scope)
    for which in case.modules:
        if scope[which] is None:
            continue
        state = scope[which].state_dict()
        for name, x in state.items():
            result.initial[f"{which}.{name}"] = numbers(x)
        arrays = {k: weights(k, numbers(x), seed) for k, x in state.items()}
        scope[which].load_state_dict(
            {k: lib.from_numpy(np.asarray(a, numbers(state[k]).dtype)) for k, a in arrays.items()}
        )
    scope["optimizer"] = eval(case.optimizer, scope)
    rng = np.random.default_rng([seed, 1])
    for name, what in case.data.items():
        x = drawn(*what, rng=rng)
        scope[name] = lib.from_numpy(x.astype(dtype) if x.dtype.kind == "f" else x)
        if leaves and name in case.leaves:
            scope[name].requires_grad_()

    for step in range(steps if case.file != "mnist" else 1):
        exec(case.step, scope)
        if step == 0:
            for name in case.watch:
                if name == "log":
                    result.log = scope["log"]
                elif name != "scores":
                    result.values.update(flat(name, scope[name]))
            for which in case.modules:
                for name, p in scope[which].named_parameters():
                    if p.grad is not None:
                        result.gradients[f"{which}.{name}"] = numbers(p.grad)
            for name in case.leaves if leaves else ():
                result.gradients[name] = numbers(scope[name].grad)
    for which in case.modules:
        scope[which].eval()
    with lib.no_grad():
        exec(case.test, scope)
    result.values.update(flat("scores", scope["scores"]))
    for which in case.modules:
        result.text[which] = str(scope[which])
        result.parameters[which] = [name for name, _ in scope[which].named_parameters()]
        for name, x in scope[which].state_dict().items():
            result.state[f"{which}.{name}"] = numbers(x)


# --- Recordings -----------------------------------------------------------------------------------


def digest(x: np.ndarray, first: int) -> np.ndarray:
    """An array's digest: the first elements, the sum, the L2 norm, a random signed projection."""
    x = np.asarray(x, np.float64).ravel()
    signs = np.random.default_rng(x.size).standard_normal(x.size)
    return np.concatenate([x[:first], [x.sum(), np.sqrt(x @ x), signs @ x]])


PARTS = {"values": FIRST, "gradients": FEW, "state": FEW, "initial": 0}


def digests(result: Result) -> dict[str, np.ndarray]:
    """part → the digests of all its arrays, one after the other."""
    return {
        part: np.concatenate([digest(x, first) for x in getattr(result, part).values()] or [[]])
        for part, first in PARTS.items()
    }


def description(result: Result) -> dict[str, Any]:
    """All results that are no numbers: names in order with shapes, text, the log."""
    shapes = {
        part: {name: list(x.shape) for name, x in getattr(result, part).items()}
        for part in ("values", "state")
    }
    return {
        **shapes,
        "gradients": list(result.gradients),
        "parameters": result.parameters,
        "text": result.text,
        "log": result.log,
    }
