"""Recurrent layers: RNN, LSTM and GRU, of several layers, in one direction or in both."""

from __future__ import annotations

import math
import warnings
from numbers import Number
from typing import Any

import numpy as np

from .. import functions, kernels, ops
from ..engine import wrap
from ..tensor import Tensor
from ..types import Device, DType
from . import functional as F, init
from .layers import empty_parameter
from .module import Module
from .utils.rnn import PackedSequence, checked_sizes

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """The parameters of the recurrent layers, and what their calls have in common.

    Layer k of the `mode` ("LSTM", "GRU", "RNN_TANH" or "RNN_RELU") has the parameters weight_ih_lk,
    weight_hh_lk, bias_ih_lk, bias_hh_lk, and weight_hr_lk with a `proj_size`; those of the other
    direction end with _reverse. All start as U(±1 / √hidden_size). Raises ValueError for sizes that
    are not positive, a mode that is not known and a dropout outside [0, 1]; TypeError for other
    types.
    """

    mode: str
    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    batch_first: bool
    dropout: float
    bidirectional: bool
    proj_size: int

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        if not isinstance(dropout, Number) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                "element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={num_layers}",
                stacklevel=3,
            )
        for name, value in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(value, bool):
                raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if not isinstance(size, int):
                raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
            if size <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = float(dropout), bidirectional, proj_size
        rows, state = _GATES[mode] * hidden_size, proj_size or hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            width = state * (1 + bidirectional) if layer else input_size
            for suffix in ("", "_reverse")[: 1 + bidirectional]:
                shapes: dict[str, tuple[int, ...]]
                shapes = {"weight_ih": (rows, width), "weight_hh": (rows, state)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values(), strict=True):
                    self.register_parameter(name, empty_parameter(shape, device, dtype))
                self._all_weights.append(names)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for all parameters."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction, in the order of the layers."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Do nothing: only a GPU needs parameters in one block of memory."""

    def extra_repr(self) -> str:
        """The sizes, and the settings that differ from their defaults."""
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False,
                 "dropout": 0, "bidirectional": False}  # fmt: skip
        set_ = (f"{k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v)
        return ", ".join([str(self.input_size), str(self.hidden_size), *set_])

    # --- A call -----------------------------------------------------------------------------------

    def _call(self, input: Any, states: list[Any] | None) -> tuple[Any, list[Any]]:
        """The output, and the last states; each has the form of its input."""
        packed = isinstance(input, PackedSequence)
        x = input.data if packed else self._steps_first(input)
        sizes = checked_sizes(self._name(), input) if packed else (x.shape[1],) * x.shape[0]
        single = not packed and input.ndim == 2
        self._check_input(x)
        h, *others = self._states(states, x, sizes[0], single)
        if packed and states is not None and input.sorted_indices is not None:
            order = input.sorted_indices
            h, *others = (functions.index_select(s, 1, order) for s in (h, *others))
        rows = x if packed else x.reshape((sum(sizes), self.input_size))
        y, lasts = self._layers(rows, [h, *others], sizes)
        if packed:
            y = PackedSequence(y, *input[1:])
            if input.unsorted_indices is not None:
                lasts = [functions.index_select(s, 1, input.unsorted_indices) for s in lasts]
            return y, lasts
        y = y.reshape((len(sizes), sizes[0], -1 if sizes[0] else y.shape[1]))
        if single:
            return functions.squeeze(y, 1), [functions.squeeze(s, 1) for s in lasts]
        return (functions.transpose(y, 0, 1) if self.batch_first else y), lasts

    def _layers(self, x: Any, states: list[Any], sizes: tuple[int, ...]) -> tuple[Any, list[Any]]:
        """All layers on rows (rows, I): the output (rows, D · H), and the last states."""
        lasts: list[Any] = []
        directions = 1 + self.bidirectional
        for layer in range(self.num_layers):
            outputs = []
            for k in range(layer * directions, (layer + 1) * directions):
                given = [s[k] for s in states]
                y, last = self._run(x, given, self._weights(k), sizes, bool(k % directions))
                outputs.append(y)
                lasts.append(last)
            x = functions.cat(outputs, 1) if directions == 2 else outputs[0]
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        if directions == 1 and x._node is not None:
            x = ops.clone(x)  # callers may write to it: the op has saved its own
        return x, [functions.stack(of_all) for of_all in zip(*lasts, strict=True)]

    def _weights(self, k: int) -> list[Any]:
        """w_ih, w_hh, b_ih, b_hh and w_hr of a layer and direction; None for those that are not."""
        found = [getattr(self, name) for name in self._all_weights[k]]
        biases = found[2:4] if self.bias else [None, None]
        return [*found[:2], *biases, found[-1] if self.proj_size else None]

    def _run(
        self, x: Any, states: list[Any], weights: list[Any], sizes: tuple[int, ...], reverse: bool
    ) -> tuple[Any, list[Any]]:
        """One layer in one direction: the output, and the last states."""
        *weights, w_hr = weights
        if w_hr is not None:
            steps: Any = ops.lstm_steps
            y, *lasts = steps(x, *states, *weights, w_hr, sizes=sizes, reverse=reverse)
            return y, lasts
        last = kernels.last_rows(sizes, reverse)
        if self.mode == "LSTM":
            both: Any = ops.lstm(x, *states, *weights, sizes=sizes, reverse=reverse)
            rows = sum(sizes)
            return both[:rows], [ops.getitem(both, index=last), both[rows:]]
        if self.mode == "GRU":
            y = ops.gru(x, *states, *weights, sizes=sizes, reverse=reverse)
        else:
            relu = self.mode == "RNN_RELU"
            y = ops.rnn(x, *states, *weights, sizes=sizes, reverse=reverse, relu=relu)
        return y, [ops.getitem(y, index=last)]

    # --- Its checks -------------------------------------------------------------------------------

    def _name(self) -> str:
        return self.mode.split("_")[0]

    def _steps_first(self, input: Any) -> Any:
        """The input as (steps, N, I)."""
        if not isinstance(input, Tensor):
            raise TypeError(
                f"{self._name()}: input must be a Tensor or a PackedSequence, got "
                f"{type(input).__name__}"
            )
        if input.ndim not in (2, 3):
            raise ValueError(
                f"{self._name()}: Expected input to be 2D or 3D, got {input.ndim}D instead"
            )
        if input.ndim == 2:
            return functions.unsqueeze(input, 1)
        return functions.transpose(input, 0, 1) if self.batch_first else input

    def _check_input(self, x: Any) -> None:
        dtype = getattr(self, self._all_weights[0][0])._array.dtype
        if x._array.dtype != dtype:
            raise ValueError(
                f"RNN input dtype ({x.dtype}) does not match weight dtype ({dtype}). Convert input: "
                f"input.to({dtype}), or convert model: model.to({x.dtype})"
            )
        if x.shape[-1:] != (self.input_size,):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{x.shape[-1] if x.ndim else 0}"
            )
        if not x.shape[0]:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")

    def _states(self, states: list[Any] | None, x: Any, many: int, single: bool) -> list[Any]:
        """The initial states (layers · directions, N, H), h first. By default they are 0."""
        layers = self.num_layers * (1 + self.bidirectional)
        shapes = [(layers, many, self.proj_size or self.hidden_size)]
        if self.mode == "LSTM":
            shapes.append((layers, many, self.hidden_size))
        if states is None:
            return [wrap(np.zeros(shape, x._array.dtype)) for shape in shapes]
        wanted = 2 if single else 3
        if any(s.ndim != wanted for s in states):
            kind = "unbatched 2-D" if single else "batched 3-D"
            found = " and ".join(f"{s.ndim}-D" for s in states)
            names = "hx and cx" if len(states) > 1 else "hx"
            raise RuntimeError(
                f"For {kind} input, {names} should also be {wanted}-D but got {found} tensor"
            )
        if single:
            states = [functions.unsqueeze(s, 1) for s in states]
        for k, (state, shape) in enumerate(zip(states, shapes, strict=True)):
            if state.shape != shape:
                which = f"hidden[{k}]" if len(shapes) > 1 else "hidden"
                raise RuntimeError(f"Expected {which} size {shape}, got {list(state.shape)}")
            if state._array.dtype != x._array.dtype:
                raise RuntimeError(
                    f"{self._name()}: the input has dtype {x.dtype}, the initial state {state.dtype}"
                )
        return states


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh), or max(0, ·) for `nonlinearity="relu"`.

    The input is (T, N, input_size), (N, T, input_size) with `batch_first`, (T, input_size), or a
    PackedSequence. hx, by default 0, is (D · num_layers, N, hidden_size), or without N; D is 2 if
    `bidirectional`, else 1. Returns the output of the last layer (T, N, D · hidden_size), in the
    form of the input, and the last states, in the form of hx. In training, `dropout` applies to the
    output of each layer but the last. Parameters and errors are those of `RNNBase`; ValueError or
    RuntimeError for an input or hx that do not fit.

    >>> y, h = tc.nn.RNN(3, 2, num_layers=2)(tc.ones(7, 5, 3))
    >>> y.shape, h.shape
    (torch.Size([7, 5, 2]), torch.Size([2, 5, 2]))
    """

    nonlinearity: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device = None,
        dtype: DType | None = None,
    ):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, 0, device, dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Any, Tensor]:
        """The output of each step, and the last states."""
        y, (h,) = self._call(input, None if hx is None else [hx])
        return y, h


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber 1997): c = f c' + i u and h = o tanh(c).

    i, f, o = σ(s) and u = tanh(s) of the sums s = W_ih x + b_ih + W_hh h' + b_hh, in the order
    i, f, u, o. Input and output are those of `RNN`. hx is a pair of states (h, c), and so are the
    last states that a call returns after the output. With `proj_size` h is W_hr o tanh(c), of that
    size (Sak et al. 2014).

    >>> y, (h, c) = tc.nn.LSTM(3, 2, bidirectional=True)(tc.ones(7, 5, 3))
    >>> y.shape, h.shape, c.shape
    (torch.Size([7, 5, 4]), torch.Size([2, 5, 2]), torch.Size([2, 5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            proj_size, device, dtype,
        )  # fmt: skip

    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """The output of each step, and the last states h and c."""
        if hx is not None and not (isinstance(hx, (tuple, list)) and len(hx) == 2):
            raise TypeError(f"LSTM: hx must be a tuple of two Tensors, got {type(hx).__name__}")
        y, (h, c) = self._call(input, None if hx is None else list(hx))
        return y, (h, c)


class GRU(RNNBase):
    """A gated recurrent unit (Cho et al. 2014): h = (1 − z) u + z h' with u = tanh(x_u + r q_u).

    r and z = σ(x + q), for x = W_ih x + b_ih and q = W_hh h' + b_hh in the order r, z, u. Input,
    output and states are those of `RNN`.

    >>> y, h = tc.nn.GRU(3, 2, batch_first=True)(tc.ones(5, 7, 3))
    >>> y.shape, h.shape
    (torch.Size([5, 7, 2]), torch.Size([1, 5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            0, device, dtype,
        )  # fmt: skip

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Any, Tensor]:
        """The output of each step, and the last states."""
        y, (h,) = self._call(input, None if hx is None else [hx])
        return y, h
