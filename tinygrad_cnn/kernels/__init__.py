"""The loops that take the time: arrays in, arrays out. One contract, two interchangeable sets.

`contract` documents every kernel and the guarantees of all. Other rooms import only this module:

>>> from tinygrad_cnn import kernels
>>> before = kernels.current()      # "compiled" where Numba is installed
>>> kernels.use("vectorized")       # NumPy alone
>>> kernels.current()
'vectorized'
>>> kernels.use(before)

The environment variable ``TINYGRAD_CNN_KERNELS`` names the initial set. A set is imported when
a kernel is first used, so importing this package costs nothing.

Beside the kernels it has what ops, functions and both sets of kernels share: pointwise functions on
arrays (`logistic`, `rectified`, `masked`, `between`, `erf`, `minus_log_erfc`), sizes and slices of
windows (`output_size`, `tap_slices`), `index_labels`, the number of elements from which an array is
large (`LARGE_ELEMENTS`), the block for NumPy's linear algebra (`all_blas_threads`), and what a
fork waits for (`wait_first`).
"""

from typing import TYPE_CHECKING

from .contract import (
    FUNCTIONS as FUNCTIONS,
    SETS as SETS,
    current as current,
    load as load,
    use as use,
    use_default as _use_default,
)
from .error_function import erf as erf, minus_log_erfc as minus_log_erfc
from .functions import (
    between as between,
    logistic as logistic,
    masked as masked,
    rectified as rectified,
)
from .geometry import output_size as output_size, tap_slices as tap_slices
from .labels import index_labels as index_labels
from .sequences import (
    last_rows as last_rows,
    states_before as states_before,
    step_rows as step_rows,
)
from .threads import (
    all_blas_threads as all_blas_threads,
    get_num_threads as get_num_threads,
    set_num_threads as set_num_threads,
    wait_first as wait_first,
)
from .tuning import LARGE_ELEMENTS as LARGE_ELEMENTS

if TYPE_CHECKING:  # the kernels: attributes of this module that `use` sets
    from .contract import (
        avg_pool2d as avg_pool2d,
        avg_pool2d_input as avg_pool2d_input,
        blockwise as blockwise,
        conv2d as conv2d,
        conv2d_input as conv2d_input,
        conv2d_weight as conv2d_weight,
        cross_entropy as cross_entropy,
        cross_entropy_input as cross_entropy_input,
        elementwise as elementwise,
        gru as gru,
        gru_input as gru_input,
        log_softmax as log_softmax,
        log_softmax_input as log_softmax_input,
        lstm as lstm,
        lstm_input as lstm_input,
        matmul as matmul,
        max_pool2d as max_pool2d,
        max_pool2d_gather as max_pool2d_gather,
        max_pool2d_positions as max_pool2d_positions,
        max_pool2d_scatter as max_pool2d_scatter,
        moments as moments,
        moments_with as moments_with,
        normalize as normalize,
        normalize_input as normalize_input,
        rnn as rnn,
        rnn_input as rnn_input,
        softmax as softmax,
        softmax_input as softmax_input,
        sum_over as sum_over,
        weight_sums as weight_sums,
    )
else:

    def __getattr__(name):
        """Called for a kernel before any set is in use: uses the default set."""
        if name not in FUNCTIONS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        _use_default()
        return globals()[name]
