"""A naive oracle for whole programs: a small library with PyTorch's API, independent of the engine.

Everything is float64. Each op leaves its Jacobians on the tape as explicit matrices, from a table
of plain derivatives. Backward multiplies them. A recorded backward differentiates the Jacobians by
complex steps, once: there are second derivatives, and no third ones. A checkpoint is its function.

Tensors on one memory form a family. A view knows the cells of the base that it shows. A write gives
the base of the family a new node: written cells get their values from the op, the others keep the
old values. After that, each view is read from the base again. So writes and views are right by
construction. It is far too slow for anything but tests.

The tape notes the version of the memory that each derivative reads. So the oracle raises an error
if a graph was freed, or if a value that it needs was changed.
"""

from types import SimpleNamespace

from .elementwise import TABLE
from .functions import cat, checkpoint, maximum, minimum, tensor, where
from .gradients import grad
from .normalization import batch_norm, instance_norm, layer_norm, rms_norm
from .tape import Memory, float64, leading_to, no_grad
from .tensor import Tensor

__all__ = [
    "TABLE",
    "Memory",
    "Tensor",
    "autograd",
    "cat",
    "float64",
    "leading_to",
    "maximum",
    "minimum",
    "nn",
    "no_grad",
    "tensor",
    "utils",
    "where",
]

autograd = SimpleNamespace(grad=grad)
nn = SimpleNamespace(
    functional=SimpleNamespace(
        batch_norm=batch_norm,
        instance_norm=instance_norm,
        layer_norm=layer_norm,
        rms_norm=rms_norm,
    )
)
utils = SimpleNamespace(checkpoint=SimpleNamespace(checkpoint=checkpoint))
