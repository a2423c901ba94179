"""`torch.utils.tensorboard`: a SummaryWriter over tensorboardX (the extra `tensorboard`)."""

from __future__ import annotations

from typing import Any, NoReturn

from ..engine import Recorded

try:
    from tensorboardX import SummaryWriter as _Writer
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "tinygrad_cnn.utils.tensorboard needs tensorboardX: pip install 'tinygrad_cnn[tensorboard]'",
        name=error.name,
    ) from None


class SummaryWriter(_Writer):
    """Writes scalars, images, histograms and so on to files that TensorBoard shows.

    The methods are those of `tensorboardX.SummaryWriter`, and take Tensors. NotImplementedError for
    `add_graph`: the package `visualize` draws graphs.
    """

    def add_graph(self, *args: Any, **kwargs: Any) -> NoReturn:
        """NotImplementedError: `visualize` draws graphs."""
        raise NotImplementedError(
            "SummaryWriter.add_graph is not supported: `visualize.draw(y)` draws the graph of a Tensor"
        )


def _plain(value: Any) -> Any:
    """The value, with arrays for Tensors."""
    if isinstance(value, Recorded):
        return value._array
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if type(value) is list else value


def _taking_tensors(name: str) -> Any:
    method = getattr(_Writer, name)

    def add(self: SummaryWriter, *args: Any, **kwargs: Any) -> Any:
        return method(self, *map(_plain, args), **_plain(kwargs))

    add.__name__, add.__doc__ = name, method.__doc__
    return add


for _name in dir(_Writer):
    if _name.startswith("add_") and _name not in vars(SummaryWriter):
        setattr(SummaryWriter, _name, _taking_tensors(_name))
