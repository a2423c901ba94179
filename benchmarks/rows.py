"""The rows, as data: what is done, by whom, and what is to be reached.

A target is the time (or memory) over that of the best contestant of a family, for each set of
kernels; under the family "" it is a figure in the row's unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .micro import conv_size
from .works import step_size

Targets = Mapping[str, Mapping[str, float]]  # family -> set of kernels -> ratio


def _against(vectorized: float, compiled: float) -> dict[str, float]:
    return {"vectorized": vectorized, "compiled": compiled}


TORCH = ("torch", "torch.compile")
FORMATS = ("torch", "torch channels-last", "torch.compile")
EAGER = FORMATS[:2]  # of torch.compile's memory the compiler's would be measured
OTHERS = ("jax", "autograd", "mygrad")

ENGINE: Targets = {"PyTorch": _against(0.5, 0.5)}
MLP: Targets = {"PyTorch": _against(1.0, 0.9)}
LENET: Targets = {
    "PyTorch": _against(1.3, 0.8),
    "JAX": _against(0.5, 0.3),
    "autograd": _against(0.1, 0.1),
    "MyGrad": _against(0.15, 0.1),
}
CONV: Targets = {"PyTorch": _against(2.0, 0.8)}
NETS: Targets = {"PyTorch": _against(2.0, 0.9)}
MEMORY: Targets = {"PyTorch": _against(1.0, 1.0)}
IMPORT: Targets = {"": _against(50, 50)}


@dataclass(frozen=True)
class Row:
    """A line of the table: `work` names a function of `works`; `per` calls are in one of its calls."""

    group: str
    name: str
    work: str
    arguments: dict[str, Any]
    rivals: tuple[str, ...]
    targets: Targets = field(default_factory=dict)
    threads: int | None = None
    kind: str = "time"  # or "memory", "import"
    unit: str = "ms"
    per: int = 1
    size: Callable[[], tuple[float, float]] | None = None  # least operations and bytes, where known


def thrice(size: Callable[..., tuple[float, float]], *arguments: Any) -> tuple[float, float]:
    """Of a convolution both ways: y, x̄ and w̄ take as much each."""
    flops, moved = size(*arguments)
    return 3 * flops, 3 * moved


def step(model: str, *shape: int, **options: Any) -> dict[str, Any]:
    """Arguments of `works.training_step`: a network of `networks`, and the shape of its images."""
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
    for name, parameters in (("chain of 2,000 ops", False), ("the same of parameters", True)):
        arguments = {"length": 2000, "parameters": parameters}
        rows.append(Row("engine", name, "chain", arguments, ("torch",), ENGINE, 1, unit="µs an op",
                        per=2000))  # fmt: skip
    for n in (1, 16, 64, 256):
        its = step("mlp", n, 784)
        rows.append(Row("mlp", f"MLP, batch {n}", "training_step", its, TORCH, MLP,
                        size=partial(step_size, "mlp", (n, 784))))  # fmt: skip
    for n in (1, 64, 256):
        its = step("lenet", n, 1, 28, 28)
        rows.append(Row("lenet", f"LeNet-5, batch {n}", "training_step", its, (*FORMATS, *OTHERS), LENET,
                        size=partial(step_size, "lenet", (n, 1, 28, 28))))  # fmt: skip
    for name, layer in CONV_LAYERS.items():
        its = dict(zip(_CONV_ARGUMENTS, layer, strict=False))
        rows.append(Row("conv", f"conv {name}", "conv_layer", its, EAGER, CONV,
                        size=partial(thrice, conv_size, *layer)))  # fmt: skip
    for name, model in _NETS.items():
        its = step(model, 16, 3, 32, 32)
        rows.append(Row("nets", f"{name}, batch 16", "training_step", its, FORMATS, NETS,
                        size=partial(step_size, model, (16, 3, 32, 32))))  # fmt: skip
    for name, model in _NETS.items():
        its = step(model, 16, 3, 32, 32)
        rows.append(Row("memory", f"peak of {name}, batch 16", "training_step", its, EAGER, MEMORY,
                        kind="memory", unit="MiB"))  # fmt: skip
    its = step("lenet", 256, 1, 28, 28)
    rows.append(Row("memory", "peak of LeNet-5, batch 256", "training_step", its, (*EAGER, *OTHERS), MEMORY,
                    kind="memory", unit="MiB"))  # fmt: skip
    rows.append(
        Row("import", "import beyond NumPy's", "", {}, ("torch", *OTHERS), IMPORT, kind="import")
    )
    return rows


ROWS = _rows()
