"""One step of a recurrent layer, for a batch: the functions of the cells of nn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import ops
from ..engine import Recorded
from .arguments import kind_of
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["gru_cell", "lstm_cell", "rnn_relu_cell", "rnn_tanh_cell"]


@public
def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """tanh(w_ih input + b_ih + w_hh hx + b_hh): the next state (N, H).

    input (N, I), hx (N, H), w_ih (H, I), w_hh (H, H), biases (H,). RuntimeError for shapes or dtypes
    that do not fit.

    >>> w = tc.zeros(1, 1)
    >>> tc.rnn_tanh_cell(tc.ones(2, 1), tc.ones(2, 1), w, w)
    tensor([[0.],
            [0.]])
    """
    return _simple("rnn_tanh_cell", input, hx, w_ih, w_hh, b_ih, b_hh, relu=False)


@public
def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """max(0, w_ih input + b_ih + w_hh hx + b_hh): the next state. Shapes as in `rnn_tanh_cell`.

    >>> w = tc.ones(1, 1)
    >>> tc.rnn_relu_cell(tc.ones(2, 1), tc.ones(2, 1), w, w)
    tensor([[2.],
            [2.]])
    """
    return _simple("rnn_relu_cell", input, hx, w_ih, w_hh, b_ih, b_hh, relu=True)


def _simple(name: str, input: Any, hx: Any, *weights: Any, relu: bool) -> Tensor:
    many = check_step(name, 1, input, [hx], *weights)
    return ops.rnn(input, hx, *weights, sizes=(many,), reverse=False, relu=relu)


@public
def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The next state (N, H) of a gated recurrent unit.

    input (N, I), hx (N, H), w_ih (3 H, I), w_hh (3 H, H), biases (3 H,), for the gates r, z and u.
    RuntimeError for shapes or dtypes that do not fit.

    >>> w = tc.zeros(3, 1)
    >>> tc.gru_cell(tc.ones(2, 1), tc.ones(2, 1), w, w)
    tensor([[0.5000],
            [0.5000]])
    """
    many = check_step("gru_cell", 3, input, [hx], w_ih, w_hh, b_ih, b_hh)
    y: Any = ops.gru(input, hx, w_ih, w_hh, b_ih, b_hh, sizes=(many,), reverse=False)
    return _writable(y)


@public
def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The next states h and c (N, H) of long short-term memory, from hx = (h, c).

    input (N, I), w_ih (4 H, I), w_hh (4 H, H), biases (4 H,), for the gates i, f, u and o.
    RuntimeError for shapes or dtypes that do not fit, TypeError for an hx that is not two Tensors.

    >>> w, state = tc.zeros(4, 1), tc.ones(2, 1)
    >>> tc.lstm_cell(tc.ones(2, 1), (state, state), w, w)[1]
    tensor([[0.5000],
            [0.5000]])
    """
    if not isinstance(hx, (tuple, list)) or not all(isinstance(s, Recorded) for s in hx):
        raise TypeError(
            f"lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not {kind_of(hx)}"
        )
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    many = check_step("lstm_cell", 4, input, hx, w_ih, w_hh, b_ih, b_hh)
    y: Any = ops.lstm(input, *hx, w_ih, w_hh, b_ih, b_hh, sizes=(many,), reverse=False)
    return _writable(y[:many]), _writable(y[many:])


def _writable(state: Any) -> Any:
    """A state that callers may write to: the op has saved its own."""
    return state if state._node is None else ops.clone(state)


def check_step(name: str, gates: int, input: Any, states: Any, *weights: Any) -> int:
    """The size of the batch. RuntimeError unless the arguments of a step fit together."""
    given = [t._array for t in (input, *states, *weights) if t is not None]
    if any(a.dtype != given[0].dtype for a in given) or given[0].dtype.kind != "f":
        found = ", ".join(sorted({str(a.dtype) for a in given}))
        raise RuntimeError(f"{name}: expected tensors of one floating-point dtype, got {found}")
    w_ih, w_hh = (w._array.shape for w in weights[:2])
    if len(w_ih) != 2 or len(w_hh) != 2 or w_hh[0] != gates * w_hh[1] or w_ih[0] != w_hh[0]:
        raise RuntimeError(f"{name}: weights of shapes {w_ih} and {w_hh} do not fit")
    for bias in weights[2:]:
        if bias is not None and bias._array.shape != (w_hh[0],):
            raise RuntimeError(f"{name}: a bias of shape {bias._array.shape}, not {(w_hh[0],)}")
    shape, hidden = input._array.shape, w_hh[1]
    if len(shape) != 2 or shape[1] != w_ih[1]:
        raise RuntimeError(
            f"input has inconsistent input_size: got {shape[-1] if shape else 0} expected {w_ih[1]}"
        )
    for k, state in enumerate(states):
        found = state._array.shape
        if len(found) != 2 or found[1] != hidden:
            size = found[-1] if found else 0
            raise RuntimeError(
                f"hidden{k} has inconsistent hidden_size: got {size}, expected {hidden}"
            )
        if found[0] != shape[0]:
            raise RuntimeError(
                f"Input batch size {shape[0]} doesn't match hidden{k} batch size {found[0]}"
            )
    return int(shape[0])
