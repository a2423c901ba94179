"""`torch.nn.parallel`: several devices, of which there is one. Several processes: see `distributed`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from ..types import Device
from .module import Module

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]

M = TypeVar("M", bound=Module)


class DataParallel(Module, Generic[M]):
    """Runs `module`. As in PyTorch, keys of the `state_dict()` begin with "module.".

    Without GPUs, PyTorch's class runs the module on the whole batch too.

    >>> net = tc.nn.DataParallel(tc.nn.Linear(2, 1))
    >>> net(tc.ones(3, 2)).shape, list(net.state_dict())
    (torch.Size([3, 1]), ['module.weight', 'module.bias'])
    """

    module: M

    def __init__(
        self,
        module: M,
        device_ids: Sequence[int | Device] | None = None,
        output_device: Device = None,
        dim: int = 0,
    ):
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The result of the module."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Sequence[int | Device] | None = None,
    output_device: Device = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> NoReturn:
    """RuntimeError, as in PyTorch without GPUs. Call the module instead."""
    raise RuntimeError(
        "device type could not be determined: there is no GPU, call the module itself"
    )


if TYPE_CHECKING:
    from ..distributed.data_parallel import DistributedDataParallel as DistributedDataParallel
else:
    from ..compat.missing import not_here as _not_here

    _not_here(globals(), names={"..distributed.data_parallel": ("DistributedDataParallel",)})
