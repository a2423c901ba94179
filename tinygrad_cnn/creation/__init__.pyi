"""Functions that make Tensors: of data, filled, in sequence and at random.

`options.py` checks the keywords that they share. `new.py` and `draws_in_place.py` hold functions
that are methods of Tensor only."""

# Written by `python -m tests.typing.stubs`.

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from ..metadata import memory_format
from ..random import Generator
from ..tensor import Tensor
from ..types import Device, DType, Layout, MemoryFormat, Number

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "bernoulli",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "multinomial",
    "normal",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "scalar_tensor",
    "tensor",
    "zeros",
    "zeros_like",
]

@overload
def arange(
    end: Number,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def arange(
    start: Number,
    end: Number,
    step: Number = 1,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
def as_tensor(data: Any, *, dtype: DType | None = None, device: Device = None) -> Tensor: ...
def asarray(
    obj: Any,
    *,
    dtype: DType | None = None,
    device: Device = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor: ...
@overload
def bernoulli(
    input: Tensor, *, generator: Generator | None = None, out: Tensor | None = None
) -> Tensor: ...
@overload
def bernoulli(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor: ...
@overload
def empty(
    size: Sequence[int],
    *,
    memory_format: memory_format | None = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def empty(
    *size: int,
    memory_format: memory_format | None = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
def empty_like(
    input: Tensor,
    *,
    memory_format: MemoryFormat | None = None,
    dtype: DType | None = None,
    layout: Layout | None = None,
    device: Device = None,
    requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def eye(
    n: int,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def eye(
    n: int,
    m: int,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
def from_numpy(ndarray: np.ndarray) -> Tensor: ...
def full(
    size: int | Sequence[int],
    fill_value: Number | Tensor,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: Layout | None = None,
    device: Device = None,
    requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor: ...
def full_like(
    input: Tensor,
    fill_value: Number | Tensor,
    *,
    memory_format: MemoryFormat | None = None,
    dtype: DType | None = None,
    layout: Layout | None = None,
    device: Device = None,
    requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def linspace(
    start: Number,
    end: Number,
    steps: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def linspace(
    start: Tensor,
    end: Tensor,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def linspace(
    start: Number,
    end: Tensor,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def linspace(
    start: Tensor,
    end: Number,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def logspace(
    start: Number,
    end: Number,
    steps: int | None = None,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def logspace(
    start: Tensor,
    end: Tensor,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def logspace(
    start: Number,
    end: Tensor,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def logspace(
    start: Tensor,
    end: Number,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor: ...
@overload
def normal(
    mean: Tensor,
    std: Tensor,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def normal(
    mean: Tensor,
    std: float = 1,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def normal(
    mean: float,
    std: Tensor,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def normal(
    mean: float,
    std: float,
    size: Sequence[int],
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def ones(
    size: Sequence[int],
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def ones(
    *size: int,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
def ones_like(
    input: Tensor,
    *,
    memory_format: MemoryFormat | None = None,
    dtype: DType | None = None,
    layout: Layout | None = None,
    device: Device = None,
    requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def rand(
    size: Sequence[int],
    *,
    generator: Generator | None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def rand(
    *size: int,
    generator: Generator | None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def rand(
    size: Sequence[int],
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def rand(
    *size: int,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def rand_like(
    input: Tensor,
    *,
    generator: Generator | None,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def rand_like(
    input: Tensor,
    *,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint(
    low: int,
    high: int,
    size: Sequence[int],
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint(
    high: int,
    size: Sequence[int],
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint(
    high: int,
    size: Sequence[int],
    *,
    generator: Generator | None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint(
    high: int,
    size: Sequence[int],
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint(
    low: int,
    high: int,
    size: Sequence[int],
    *,
    generator: Generator | None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint(
    low: int,
    high: int,
    size: Sequence[int],
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint_like(
    input: Tensor,
    low: int,
    high: int,
    *,
    generator: Generator | None,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint_like(
    input: Tensor,
    low: int,
    high: int,
    *,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint_like(
    input: Tensor,
    high: Tensor,
    *,
    generator: Generator | None,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint_like(
    input: Tensor,
    high: Tensor,
    *,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint_like(
    input: Tensor,
    high: int,
    *,
    generator: Generator | None,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randint_like(
    input: Tensor,
    high: int,
    *,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randn(
    size: Sequence[int],
    *,
    generator: Generator | None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randn(
    *size: int,
    generator: Generator | None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randn(
    size: Sequence[int],
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randn(
    *size: int,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randn_like(
    input: Tensor,
    *,
    generator: Generator | None,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randn_like(
    input: Tensor,
    *,
    memory_format: memory_format | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randperm(
    n: int,
    *,
    generator: Generator | None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def randperm(
    n: int,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
def scalar_tensor(
    s: Number,
    *,
    dtype: DType | None = None,
    layout: Layout | None = None,
    device: Device = None,
    requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor: ...
def tensor(
    data: Any,
    *,
    dtype: DType | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor: ...
@overload
def zeros(
    size: Sequence[int],
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
@overload
def zeros(
    *size: int,
    out: Tensor | None = None,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor: ...
def zeros_like(
    input: Tensor,
    *,
    memory_format: MemoryFormat | None = None,
    dtype: DType | None = None,
    layout: Layout | None = None,
    device: Device = None,
    requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor: ...
