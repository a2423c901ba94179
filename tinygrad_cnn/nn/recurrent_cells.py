"""Cells: one step of a recurrent layer, called in a loop of one's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine import wrap
from ..functions import squeeze, unsqueeze
from ..functions.recurrent import gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell
from ..tensor import Tensor
from ..types import Device, DType
from . import init
from .layers import empty_parameter
from .module import Module

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """The parameters of a cell of `num_chunks` gates: weight_ih, weight_hh, bias_ih and bias_hh.

    They start as U(±1 / √hidden_size).
    """

    input_size: int
    hidden_size: int
    bias: bool
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        self.weight_ih = empty_parameter((rows, input_size), device, dtype)
        self.weight_hh = empty_parameter((rows, hidden_size), device, dtype)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, empty_parameter((rows,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for all parameters."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """The sizes, and the settings that differ from their defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def _step(self, function: Any, input: Any, *states: Any) -> Any:
        """function(input (N, I), states (N, H), weights). Without N, the results are without it."""
        name, single = type(self).__name__, input.ndim == 1
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        if single:
            input = unsqueeze(input, 0)
        found = []
        for k, state in enumerate(states):
            if state is None:
                shape = input._array.shape[0], self.hidden_size
                state = wrap(np.zeros(shape, input._array.dtype))
            elif state.ndim not in (1, 2):
                which = f"hx[{k}]" if len(states) > 1 else "hidden"
                raise ValueError(
                    f"{name}: Expected {which} to be 1D or 2D, got {state.ndim}D instead"
                )
            elif single:
                state = unsqueeze(state, 0) if state.ndim == 1 else state
            found.append(state)
        hx = found if len(found) > 1 else found[0]
        y = function(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        if not single:
            return y
        return tuple(squeeze(s, 0) for s in y) if isinstance(y, tuple) else squeeze(y, 0)


class RNNCell(RNNCellBase):
    """h = tanh(W_ih x + b_ih + W_hh h' + b_hh), or max(0, ·) for `nonlinearity="relu"`.

    input (N, input_size) and hx (N, hidden_size), both with N or both without → the next h, of hx's
    shape. hx is 0 by default. Raises ValueError and RuntimeError for shapes that do not fit.

    >>> tc.nn.RNNCell(3, 2)(tc.ones(5, 3)).shape
    torch.Size([5, 2])
    """

    nonlinearity: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state."""
        functions = {"tanh": rnn_tanh_cell, "relu": rnn_relu_cell}
        if self.nonlinearity not in functions:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(functions[self.nonlinearity], input, hx)


class LSTMCell(RNNCellBase):
    """One step of long short-term memory: c = f c' + i u and h = o tanh(c).

    i, f, o = σ(s) and u = tanh(s) of the sums s = W_ih x + b_ih + W_hh h' + b_hh, in the order
    i, f, u, o. input (N, input_size) and hx = (h, c), each (N, hidden_size), all with N or all
    without → the next (h, c). hx is 0 by default. Raises ValueError and RuntimeError for shapes that
    do not fit.

    >>> h, c = tc.nn.LSTMCell(3, 2)(tc.ones(5, 3))
    >>> h.shape, c.shape
    (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The next states h and c."""
        if hx is not None and not (isinstance(hx, (tuple, list)) and len(hx) == 2):
            raise TypeError(f"LSTMCell: hx must be a tuple of two Tensors, got {type(hx).__name__}")
        return self._step(lstm_cell, input, *((None, None) if hx is None else hx))


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit: h = (1 − z) u + z h' with u = tanh(x_u + r q_u).

    r and z = σ(x + q), for x = W_ih x + b_ih and q = W_hh h' + b_hh in the order r, z, u. input
    (N, input_size) and hx (N, hidden_size), both with N or both without → the next h. hx is 0 by
    default. Raises ValueError and RuntimeError for shapes that do not fit.

    >>> tc.nn.GRUCell(3, 2)(tc.ones(5, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The next state."""
        return self._step(gru_cell, input, hx)
