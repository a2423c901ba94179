"""The rows of the table, as data: the workload, the contestants and the targets.

A target is our time or memory over that of the best contestant of a family, for each set of
kernels. A target of the family "" is absolute, in the unit of the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from .micro import conv_size
from .workloads import step_cost

Targets = Mapping[str, Mapping[str, float]]  # family -> set of kernels -> ratio
Cost = tuple[float, float]  # floating point operations, bytes


def _each(vectorized: float, compiled: float) -> dict[str, float]:
    return {"vectorized": vectorized, "compiled": compiled}


TORCH = ("torch", "torch.compile")
FORMATS = ("torch", "torch channels-last", "torch.compile")
EAGER = FORMATS[:2]  # for torch.compile the memory of its compiler would be measured
OTHERS = ("jax", "autograd", "mygrad")

ENGINE: Targets = {"PyTorch": _each(0.5, 0.5)}
MLP: Targets = {"PyTorch": _each(1.0, 0.9)}
LENET: Targets = {
    "PyTorch": _each(1.3, 0.8),
    "JAX": _each(0.5, 0.3),
    "autograd": _each(0.1, 0.1),
    "MyGrad": _each(0.15, 0.1),
}
CONV: Targets = {"PyTorch": _each(2.0, 0.8)}
RECURRENT: Targets = {"PyTorch": _each(2.5, 1.5)}
NETS: Targets = {"PyTorch": _each(2.0, 0.9)}
MEMORY: Targets = {"PyTorch": _each(1.0, 1.0)}
IMPORT: Targets = {"": _each(50, 50)}


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        group: for `--only`.
        workload: the name of a function of `workloads`, which gets `arguments`.
        rivals: the contestants that we are compared with.
        threads: of every contestant; None for the library's default.
        kind: "time", "memory" or "import".
        ops: how many ops one call runs; the time in the table is that of one op.
        cost: floating point operations and bytes that the workload needs at least, if known.
    """

    group: str
    name: str
    workload: str
    arguments: dict[str, Any]
    rivals: tuple[str, ...]
    targets: Targets = field(default_factory=dict)
    threads: int | None = None
    kind: Literal["time", "memory", "import"] = "time"
    unit: str = "ms"
    ops: int = 1
    cost: Callable[[], Cost] | None = None


def both_ways(layer: tuple[Any, ...]) -> Cost:
    """The cost of a convolution forward and backward: y, x̄ and w̄ cost the same."""
    flops, moved = conv_size(*layer)
    return 3 * flops, 3 * moved


def of_recurrent(gates: int, steps: int, batch: int, width: int) -> Cost:
    """The cost of a recurrent layer both ways: three products for x, and three for the states."""
    return 12.0 * steps * batch * gates * width**2, 0.0


def step_arguments(model: str, *shape: int, **options: Any) -> dict[str, Any]:
    """Arguments of `workloads.training_step`: a function of `networks`, and an input shape."""
    return {"model": model, "shape": shape, "options": options}


CONV_LAYERS: dict[str, tuple[Any, ...]] = {  # (N, C, H, W), filters, kernel, stride, groups
    "3x3, 3 to 16, 32²": ((16, 3, 32, 32), 16, 3),
    "3x3, 3 to 64, 32²": ((16, 3, 32, 32), 64, 3),
    "3x3, 16, 32²": ((16, 16, 32, 32), 16, 3),
    "3x3, 32, 32²": ((16, 32, 32, 32), 32, 3),
    "3x3, 64, 32²": ((16, 64, 32, 32), 64, 3),
    "3x3, 128, 16²": ((16, 128, 16, 16), 128, 3),
    "3x3, 256, 8²": ((16, 256, 8, 8), 256, 3),
    "3x3 stride 2, 64 to 128, 32²": ((16, 64, 32, 32), 128, 3, 2),
    "1x1, 64 to 256, 16²": ((16, 64, 16, 16), 256, 1),
    "1x1, 256 to 64, 16²": ((16, 256, 16, 16), 64, 1),
    "5x5, 3 to 32, 32²": ((16, 3, 32, 32), 32, 5),
    "5x5, 32, 16²": ((16, 32, 16, 16), 32, 5),
    "7x7 stride 2, 3 to 64, 64²": ((16, 3, 64, 64), 64, 7, 2),
    "7x7 stride 2, 3 to 64, 224²": ((4, 3, 224, 224), 64, 7, 2),
    "depthwise 3x3, 32, 32²": ((16, 32, 32, 32), 32, 3, 1, 32),
    "depthwise 3x3, 64, 32²": ((16, 64, 32, 32), 64, 3, 1, 64),
    "depthwise 3x3 stride 2, 128, 16²": ((16, 128, 16, 16), 128, 3, 2, 128),
    "grouped 3x3, 64 by 4, 32²": ((16, 64, 32, 32), 64, 3, 1, 4),
    "grouped 3x3, 128 by 8, 16²": ((16, 128, 16, 16), 128, 3, 1, 8),
    "grouped 3x3, 256 by 32, 8²": ((16, 256, 8, 8), 256, 3, 1, 32),
}
_CONV_ARGUMENTS = ("shape", "filters", "kernel", "stride", "groups")
_NETS = {
    "ResNet-18": "resnet",
    "VGG-11": "vgg",
    "DenseNet": "densenet",
    "MobileNetV2": "mobilenet",
}


def _rows() -> list[Row]:
    rows = []
    for name, parameters in (
        ("chain of 2,000 ops", False),
        ("chain of 2,000 ops, parameters", True),
    ):
        arguments = {"length": 2000, "parameters": parameters}
        rows.append(Row("engine", name, "chain", arguments, ("torch",), ENGINE, 1, unit="µs an op",
                        ops=2000))  # fmt: skip
    for n in (1, 16, 64, 256):
        arguments = step_arguments("mlp", n, 784)
        rows.append(Row("mlp", f"MLP, batch {n}", "training_step", arguments, TORCH, MLP,
                        cost=partial(step_cost, "mlp", (n, 784))))  # fmt: skip
    for n in (1, 64, 256):
        arguments = step_arguments("lenet", n, 1, 28, 28)
        rows.append(Row("lenet", f"LeNet-5, batch {n}", "training_step", arguments,
                        (*FORMATS, *OTHERS), LENET,
                        cost=partial(step_cost, "lenet", (n, 1, 28, 28))))  # fmt: skip
    for name, layer in CONV_LAYERS.items():
        arguments = dict(zip(_CONV_ARGUMENTS, layer, strict=False))
        rows.append(Row("conv", f"conv {name}", "conv_layer", arguments, EAGER, CONV,
                        cost=partial(both_ways, layer)))  # fmt: skip
    sizes = {"steps": 50, "batch": 32, "width": 128}
    for name, gates in (("RNN", 1), ("LSTM", 4), ("GRU", 3)):
        arguments = {"name": name, **sizes}
        title = f"{name} of 128, 50 steps, batch 32"
        rows.append(Row("recurrent", title, "recurrent_layer", arguments, ("torch",), RECURRENT,
                        cost=partial(of_recurrent, gates, **sizes)))  # fmt: skip
    for name, model in _NETS.items():
        arguments = step_arguments(model, 16, 3, 32, 32)
        rows.append(Row("nets", f"{name}, batch 16", "training_step", arguments, FORMATS, NETS,
                        cost=partial(step_cost, model, (16, 3, 32, 32))))  # fmt: skip
    for name, model in _NETS.items():
        arguments = step_arguments(model, 16, 3, 32, 32)
        rows.append(Row("memory", f"peak of {name}, batch 16", "training_step", arguments, EAGER,
                        MEMORY, kind="memory", unit="MiB"))  # fmt: skip
    for name in ("LSTM", "GRU"):
        arguments = {"name": name, **sizes}
        rows.append(Row("memory", f"peak of {name} of 128, 50 steps", "recurrent_layer", arguments,
                        ("torch",), MEMORY, kind="memory", unit="MiB"))  # fmt: skip
    arguments = step_arguments("lenet", 256, 1, 28, 28)
    rows.append(Row("memory", "peak of LeNet-5, batch 256", "training_step", arguments,
                    (*EAGER, *OTHERS), MEMORY, kind="memory", unit="MiB"))  # fmt: skip
    rows.append(
        Row("import", "import after NumPy", "", {}, ("torch", *OTHERS), IMPORT, kind="import")
    )
    return rows


ROWS = _rows()
