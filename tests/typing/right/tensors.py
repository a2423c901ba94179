"""A user's program on Tensors: the types that a checker must see."""

from collections.abc import Sequence
from typing import Any, assert_type

import numpy as np

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import Tensor

x = torch.ones(2, 3, requires_grad=True)
assert_type(x, Tensor)
assert_type(torch.zeros((2, 3), dtype=torch.float64), Tensor)
assert_type(torch.arange(10), Tensor)
assert_type(torch.tensor([1.0]), Tensor)
assert_type(torch.randn(2, 3), Tensor)
assert_type(torch.from_numpy(np.ones(2)), Tensor)

# operators
assert_type(x + 1, Tensor)
assert_type(2 * x - x / 3.0, Tensor)
assert_type(x**2, Tensor)
assert_type(-x, Tensor)
assert_type(x @ x.T, Tensor)
assert_type(x > 0, Tensor)
assert_type(x[0], Tensor)
assert_type(x[:, None, ..., 1:], Tensor)
x[0] = 1.0

# functions and methods
assert_type(torch.exp(x), Tensor)
assert_type(x.exp().sum(dim=1, keepdim=True), Tensor)
assert_type(torch.where(x > 0, x, 0.0), Tensor)
assert_type(torch.cat([x, x], dim=1), Tensor)
assert_type(x.reshape(3, 2), Tensor)
assert_type(x.view(-1), Tensor)
assert_type(x.permute(1, 0), Tensor)
assert_type(x.to(torch.float64), Tensor)
assert_type(x.clamp_(0, 1), Tensor)
assert_type(torch.max(x), Tensor)
values, indices = torch.max(x, 1)
assert_type(values, Tensor)
assert_type(x.max(1).indices, Tensor)
assert_type(torch.allclose(x, x), bool)
assert_type(x.argmax(1), Tensor)
parts = torch.split(x, 1)
assert_type(parts[0], Tensor)

# numbers in the place of Tensors, sizes as lists
assert_type(torch.where(x > 0, 1.0, 0.0), Tensor)
assert_type(torch.where(x > 0, 0.0, x), Tensor)
assert_type(torch.where(x > 0), tuple[Tensor, ...])
assert_type(torch.pow(2, x), Tensor)
assert_type(torch.remainder(3, x), Tensor)
assert_type(torch.bitwise_and(1, x.int()), Tensor)
assert_type(torch.bitwise_or(1, x.int()), Tensor)
assert_type(torch.bitwise_xor(1, x.int()), Tensor)
assert_type(x.split([1, 1]), Sequence[Tensor])
assert_type(x.stride(), tuple[int, ...])

# results that depend on arguments
assert_type(torch.unique(x), Tensor)
found, counts = torch.unique(x, return_counts=True)
assert_type(counts, Tensor)
assert_type(torch.unique(x, return_inverse=True), tuple[Tensor, Tensor])
assert_type(x.unique(return_inverse=True, return_counts=True), tuple[Tensor, Tensor, Tensor])
assert_type(F.max_pool2d(x, 1), Tensor)
assert_type(x.tolist(), list[Any])

# writes
assert_type(x.detach().exp_().sqrt_(), Tensor)
x.detach()[0] = torch.zeros(3)
x.detach()[:, 1:] = np.zeros((2, 2))
x.detach()[0] = np.float32(3)
x.detach()[1] = [1, 2, 3]
x.detach()[:, :2] = [[1, 2], [3, 4]]
x.detach()[x > 2] = True


# ops of one's own
@torch.op
def cube(x: Any) -> Any:
    return x**3


@torch.op(elementwise=True)
def weighted(a: Any, b: Any) -> Any:
    return a * b


def cube_x(g: Any, x: Any) -> Any:
    return g * 3 * x**2


cube.defvjp(x=cube_x)
assert_type(cube(x), Tensor)
assert_type(cube.op.name, str)
assert_type(weighted(x, x), Tensor)

# what it is
assert_type(x.ndim, int)
assert_type(x.size(0), int)
assert_type(x.numel(), int)
assert_type(x.requires_grad, bool)
assert_type(x.grad, Tensor | None)
assert_type(x.detach().numpy().shape, tuple[int, ...])
height, width = x.shape
assert_type(height, int)

# autograd
(g,) = torch.autograd.grad((x * x).sum(), x)
assert_type(g, Tensor)
x.sum().backward()


@torch.no_grad()
def scaled(t: Tensor, by: float = 2.0) -> Tensor:
    return t * by


@torch.enable_grad()
def named(t: Tensor) -> dict[str, Tensor]:
    return {"t": t}


assert_type(scaled(x, by=3.0), Tensor)
assert_type(named(x)["t"], Tensor)
