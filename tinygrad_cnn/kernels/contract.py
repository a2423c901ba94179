"""The contract of the kernels: arguments, results and guarantees of each; the choice of a set.

A kernel is a function of arrays whose loops take most of the time of a network. Each set provides
all of them: `vectorized` with NumPy alone, `compiled` with Numba. Callers write
`kernels.conv2d(...)`, with all arguments by position, and reach the kernel of the set in use.

Letters: N images, C channels, H × W pixels; F filters, I × J taps of a filter; P × Q outputs; G
groups with c = C/G channels and f = F/G filters each. s, t are strides and d, e dilations of rows
and columns. The windows of x, zero outside of x, are

    V[n,c,i,j,p,q] = x[n, c, p·s + i·d − top, q·t + j·e − left]

For all kernels:

- Arguments are not checked, because the public functions have done that. A kernel raises an error
  only where it says so. A pair (rows, columns) is a tuple, `padding` is ((top, bottom), (left,
  right)), `dims` is a tuple of axes counted from 0.
- Arrays may have any strides, also 0 and negative ones, and any size, also 0. No kernel writes to
  its inputs, except that `blockwise` updates in place.
- Floating-point dtypes are float16, bfloat16, float32 and float64. A result has the dtype to which
  NumPy promotes the operands. Convolutions and products of float16 and bfloat16 compute in float32.
- Images are logically NCHW. A result may be an NCHW view of memory in another axis order, mostly
  with channels innermost: elementwise NumPy operations keep that order, and the next kernel reads
  long runs.
- The same inputs, set and number of threads give the same bits. Kernels may be called from several
  threads at once. Infinities and NaNs spread no further than the formulas say.
"""

# mypy: disable-error-code="empty-body"

import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, TypeVar

from numpy import ndarray

from .threads import building, wait_before_logging

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]
Dims = tuple[int, ...]
# update(arrays, scratch arrays, numbers); see `blockwise`
Update = Callable[[Any, Any, Any], None]
Job = tuple[Any, ...]  # (Update, Sequence[ndarray], int, Sequence[float], *changes)
Declaration = TypeVar("Declaration", bound=Callable[..., Any])

FUNCTIONS: list[str] = []  # the names of all kernels


def _kernel(declaration: Declaration) -> Declaration:
    """Declare a kernel: its signature and its documentation."""
    FUNCTIONS.append(declaration.__name__)
    return declaration


# --- Products and convolutions ------------------------------------------------------------------


@_kernel
def matmul(a: ndarray, b: ndarray) -> ndarray:
    """y[.., m, n] = Σ_k a[.., m, k] b[.., k, n], with the shapes and broadcasting of `np.matmul`.

    Any dtype. The result is C-contiguous.
    """


@_kernel
def conv2d(
    x: ndarray, w: ndarray, bias: ndarray | None,
    stride: Pair, padding: Padding, dilation: Pair, groups: int,
) -> ndarray:  # fmt: skip
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] V[n,c,i,j,p,q]

    x (N, C, H, W), w (F, C/G, I, J), bias (F,) or None → (N, F, P, Q). The filters of a group see
    the channels of that group alone.
    """


@_kernel
def conv2d_input(
    g: ndarray, w: ndarray, x_shape: tuple[int, ...],
    stride: Pair, padding: Padding, dilation: Pair, groups: int,
) -> ndarray:  # fmt: skip
    """The adjoint of `conv2d` in x: x̄[n,c,h,v] = Σ g[n,f,p,q] w[f,c,i,j] over all f, i, j, p, q
    with p·s + i·d − top = h and q·t + j·e − left = v.

    g (N, F, P, Q), w (F, C/G, I, J) → `x_shape` (N, C, H, W).
    """


@_kernel
def conv2d_weight(
    g: ndarray, x: ndarray, w_shape: tuple[int, ...],
    stride: Pair, padding: Padding, dilation: Pair, groups: int,
) -> ndarray:  # fmt: skip
    """The adjoint of `conv2d` in w: w̄[f,c,i,j] = Σ_npq g[n,f,p,q] V[n,c,i,j,p,q]

    g (N, F, P, Q), x (N, C, H, W) → `w_shape` (F, C/G, I, J), C-contiguous.
    """


# --- Pooling ------------------------------------------------------------------------------------


@_kernel
def max_pool2d(
    x: ndarray, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair, output_size: Pair
) -> tuple[ndarray, ndarray]:
    """y[n,c,p,q] = max_ij x[n, c, p·s + i·d − top, q·t + j·e − left], and −∞ outside of x.

    Returns y (N, C, P, Q) and, of the same shape, the tap i·J + j of the first maximum of each
    window in row-major order: uint8, or a wider unsigned type for windows of more than 255 taps.
    A window that lies outside of x has the tap I·J. A NaN counts as greater than all numbers.
    Integer dtypes are allowed; their least value takes the place of −∞. Both results have the
    axis order of x.
    """


@_kernel
def max_pool2d_positions(
    taps: ndarray, x_shape: tuple[int, ...],
    kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair,
) -> ndarray:  # fmt: skip
    """The taps of `max_pool2d` as positions h·W + v in the plane, int64; −1 for the tap I·J."""


@_kernel
def max_pool2d_scatter(
    g: ndarray, taps: ndarray, x_shape: tuple[int, ...],
    kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair,
) -> ndarray:  # fmt: skip
    """x̄[n,c,m] = Σ g[n,c,p,q] over the windows whose tap is the cell m; a tap I·J passes nothing.

    g and `taps` (N, C, P, Q) → `x_shape`, in the axis order of `taps`.
    """


@_kernel
def max_pool2d_gather(
    x: ndarray, taps: ndarray, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair
) -> ndarray:
    """The adjoint of `max_pool2d_scatter`: x at the tap of each window, 0 for the tap I·J."""


@_kernel
def avg_pool2d(
    x: ndarray, kernel_size: Pair, stride: Pair, padding: Padding, output_size: Pair,
    divisor: float | ndarray,
) -> ndarray:  # fmt: skip
    """y[n,c,p,q] = Σ_ij x[n, c, p·s + i − top, q·t + j − left] / divisor[p,q], zero outside of x.

    `divisor` is one number or an array (P, Q). The result has the axis order of x.
    """


@_kernel
def avg_pool2d_input(
    g: ndarray, x_shape: tuple[int, ...], kernel_size: Pair, stride: Pair, padding: Padding,
    divisor: float | ndarray,
) -> ndarray:  # fmt: skip
    """The adjoint of `avg_pool2d`: x̄[m] = Σ g[o] / divisor[o] over the windows o that hold m."""


# --- Sums and normalization: x, g of one shape; μ, r, w, b, s, t broadcast with it ----------------


@_kernel
def sum_over(x: ndarray, dims: Dims) -> ndarray:
    """Σ x along `dims`, which stay as axes of length 1."""


@_kernel
def moments(x: ndarray, dims: Dims) -> tuple[ndarray, ndarray]:
    """μ = Σ x / m and σ² = Σ (x − μ)² / m over the m elements along `dims`, kept at length 1."""


@_kernel
def moments_with(
    g: ndarray, x: ndarray, mu: ndarray, dims: Dims, weight: ndarray | None = None
) -> tuple[ndarray, ndarray]:
    """Σ w g and Σ w g (x − μ) along `dims`, which stay at length 1. Without a weight w is 1.

    With empty `dims` the first result may share memory with g.
    """


@_kernel
def weight_sums(
    g: ndarray, x: ndarray, mu: ndarray, scale: ndarray, dims: Dims
) -> tuple[ndarray, ndarray]:
    """Σ g and Σ g (x − μ) r along `dims`, for the scale r: the gradients of a bias and a weight."""


@_kernel
def normalize(
    x: ndarray, mu: ndarray, scale: ndarray, weight: ndarray | None, bias: ndarray | None
) -> ndarray:
    """y = (x − μ) r w + b, for the scale r. A weight of None is 1, a bias of None is 0."""


@_kernel
def normalize_input(
    g: ndarray, x: ndarray, mu: ndarray, scale: ndarray, weight: ndarray | None, s: ndarray,
    t: ndarray
) -> ndarray:  # fmt: skip
    """x̄ = r (w g − s − t (x − μ)), for the scale r. A weight of None is 1."""


# --- Elementwise passes -------------------------------------------------------------------------


@_kernel
def elementwise(f: Callable[..., Any], *given: Any, **constants: Any) -> Any:
    """f(*given, **constants) in one pass over memory, for a function f that is elementwise.

    `given` are arrays of one shape and objects of other types; `constants` are mostly numbers. f is
    made of NumPy functions and of those in `functions`, which a set may know as one operation. It
    must not depend on anything that changes: a set may trace f once and remember its program.

    Returns the result of f, an array or a tuple of them, with NumPy's dtypes, in the axis order of
    the first array. exp and its kin may differ from NumPy's by 5 units in the last place. Raises
    the errors of f.
    """


@_kernel
def blockwise(jobs: Iterable[Job]) -> None:
    """For each (update, arrays, scratch, numbers, *changes): `update(arrays, spare, numbers)`, in order.

    `update` is elementwise, does the same operations whatever the numbers are, and writes in
    place to any of the arrays but the second, which is a gradient. The arrays have one shape, and
    so have the `scratch` many spare arrays that it may overwrite. A set runs it block by block,
    so that memory is read and written once. The bits are those of NumPy on whole arrays.

    The `changes`, calls of functions in C, belong to the update of their job: an exception, as of an
    interrupt, finds all of the job done or nothing.
    """


# --- Softmax and the loss of labels, along the axis `dim` -----------------------------------------


@_kernel
def softmax(x: ndarray, dim: int) -> ndarray:
    """y = eˣ / Σ eˣ, computed as eˣ⁻ᵐ / Σ eˣ⁻ᵐ with m = max x: exp cannot overflow.

    A slice that is all −∞ or holds a NaN or +∞ gives NaN.
    """


@_kernel
def softmax_input(g: ndarray, y: ndarray, dim: int) -> ndarray:
    """x̄ = y · (ȳ − Σ ȳ · y)"""


@_kernel
def log_softmax(x: ndarray, dim: int) -> ndarray:
    """y = x − ln Σ eˣ, computed with the maximum subtracted, as `softmax` is."""


@_kernel
def log_softmax_input(g: ndarray, y: ndarray, dim: int) -> ndarray:
    """x̄ = ȳ − eʸ · Σ ȳ"""


@_kernel
def cross_entropy(
    x: ndarray, target: ndarray, weight: ndarray | None, ignore_index: int
) -> ndarray:
    """ℓ = −w ln p[target] and w, for p = softmax(x) along axis 1 and w = weight[target].

    x (N, C, ..), integer target (N, ..), weight (C,) or None → (2, N, ..). Where the target is
    `ignore_index`, ℓ and w are 0. Raises IndexError for any other label outside [−C, C).
    """


@_kernel
def cross_entropy_input(
    g: ndarray, x: ndarray, target: ndarray, weight: ndarray | None, ignore_index: int
) -> ndarray:
    """x̄ = g w (p − [target]), for one g or one for each target. Errors as in `cross_entropy`."""


# --- Recurrent layers: x (rows, I), packed sequences, to (rows, H); N sequences --------------------
#
# `sizes` is the number of sequences that reach each step; it never increases, and sizes[0] is N.
# The rows of a step are next to each other, step after step. The first sequences are the longest.
# `reverse` runs from the last step to the first. h' and c' are the states before a step: h0 (N, H)
# and c0 (N, H) at the first one of a sequence. Weights are w_ih (k H, I) and w_hh (k H, H) for k
# gates, biases (k H,) or None. g is the cotangent of the first result.


@_kernel
def rnn(
    x: ndarray, h0: ndarray, w_ih: ndarray, w_hh: ndarray, b_ih: ndarray | None,
    b_hh: ndarray | None, sizes: Dims, reverse: bool, relu: bool,
) -> ndarray:  # fmt: skip
    """h = tanh(W_ih x + b_ih + W_hh h' + b_hh) of each row, or max(0, ·) with `relu`."""


@_kernel
def rnn_input(
    g: ndarray, y: ndarray, w_hh: ndarray, sizes: Dims, reverse: bool, relu: bool
) -> tuple[ndarray, ndarray]:
    """The cotangents of the sums (rows, H) and of h0, for the result y of `rnn`."""


@_kernel
def lstm(
    x: ndarray, h0: ndarray, c0: ndarray, w_ih: ndarray, w_hh: ndarray, b_ih: ndarray | None,
    b_hh: ndarray | None, sizes: Dims, reverse: bool,
) -> tuple[ndarray, ndarray, ndarray]:  # fmt: skip
    """h = o tanh(c) with c = f c' + i u, of i, f, o = σ(sums) and u = tanh(sum), in that order:
    i, f, u, o. The sums are those of `rnn`.

    Returns (rows + N, H), h of each row and then the last c of each sequence; the gates
    (rows, 4 H); c (rows, H).
    """


@_kernel
def lstm_input(
    g: ndarray, gates: ndarray, cells: ndarray, c0: ndarray, w_hh: ndarray, sizes: Dims,
    reverse: bool,
) -> tuple[ndarray, ndarray, ndarray]:  # fmt: skip
    """The cotangents of the sums (rows, 4 H), of h0 and of c0. g is (rows + N, H)."""


@_kernel
def gru(
    x: ndarray, h0: ndarray, w_ih: ndarray, w_hh: ndarray, b_ih: ndarray | None,
    b_hh: ndarray | None, sizes: Dims, reverse: bool,
) -> tuple[ndarray, ndarray, ndarray]:  # fmt: skip
    """h = (1 − z) u + z h' with u = tanh(x_u + r q), r, z = σ(x_r + q_r), σ(x_z + q_z).

    (x_r, x_z, x_u) = W_ih x + b_ih and (q_r, q_z, q) = W_hh h' + b_hh. Returns h (rows, H), the
    gates r, z, u (rows, 3 H), and q (rows, H).
    """


@_kernel
def gru_input(
    g: ndarray, y: ndarray, h0: ndarray, gates: ndarray, hidden: ndarray, w_hh: ndarray,
    sizes: Dims, reverse: bool,
) -> tuple[ndarray, ndarray, ndarray]:  # fmt: skip
    """The cotangents of both sums, of x and of h' (rows, 3 H), and of h0, for `gru`'s y."""


# --- The sets, and the one in use ---------------------------------------------------------------

SETS = ("vectorized", "compiled")
_registered: dict[str, SimpleNamespace] = {}
_current = os.environ.get("TINYGRAD_CNN_KERNELS")  # not set: the best set that is installed


def register(name: str, *functions: Callable[..., Any], fallback: str | None = None) -> None:
    """Provide the functions as the kernels of a set; those that it lacks are the fallback's."""
    own = {function.__name__: function for function in functions}
    found = {**(vars(_loaded(fallback)) if fallback else {}), **own}
    if found.keys() != set(FUNCTIONS):
        wrong = sorted(found.keys() ^ set(FUNCTIONS))
        raise TypeError(f"kernels: set {name!r} and the contract differ in {', '.join(wrong)}")
    _registered[name] = SimpleNamespace(**found)


def load(name: str) -> SimpleNamespace:
    """The kernels of a set as attributes, whether or not it is in use.

    Raises ValueError for an unknown name and ImportError for a set that cannot be imported.
    """
    if name not in SETS:
        raise ValueError(f"kernels: expected one of {', '.join(map(repr, SETS))}, got {name!r}")
    if name in _registered:
        return _registered[name]
    if name == "compiled":
        wait_before_logging()
    try:
        with building[0]:
            return _loaded(name)
    except ImportError as error:
        message = f"kernels: the {name!r} kernels are not available: {error}"
        raise ImportError(message) from error


def _loaded(name: str) -> SimpleNamespace:
    if name not in _registered:
        importlib.import_module(f"{__package__}.{name}")  # which calls `register`
    return _registered[name]


def current() -> str:
    """The name of the set in use."""
    global _current
    if not _current:
        _current = "compiled" if importlib.util.find_spec("numba") else "vectorized"
    return _current


def use(name: str) -> None:
    """Use this set in the whole process: "vectorized" (NumPy) or "compiled" (Numba).

    Raises as `load` does; the set that was in use then stays.
    """
    global _current
    vars(sys.modules[__package__]).update(vars(load(name)))  # an op's call costs one look-up
    _current = name


def use_default() -> None:
    """Use the set that the environment names, or else the best that can be imported."""
    named = _current
    try:
        use(current())
    except ImportError as error:
        if named:
            raise
        warnings.warn(f"{error}; using the 'vectorized' ones", RuntimeWarning, stacklevel=3)
        use("vectorized")
