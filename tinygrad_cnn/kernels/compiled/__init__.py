"""The kernels in Numba: see docs/speed.md. Raises ImportError where that is not installed."""

from ..vectorized import (
    max_pool2d_gather as max_pool2d_gather,
    max_pool2d_positions as max_pool2d_positions,
)
from .blockwise import blockwise as blockwise
from .convolution import (
    conv2d as conv2d,
    conv2d_input as conv2d_input,
    conv2d_weight as conv2d_weight,
)
from .elementwise import elementwise as elementwise
from .matmul import matmul as matmul
from .normalization import (
    moments as moments,
    moments_with as moments_with,
    normalize as normalize,
    normalize_input as normalize_input,
    weight_sums as weight_sums,
)
from .pooling import (
    avg_pool2d as avg_pool2d,
    avg_pool2d_input as avg_pool2d_input,
    max_pool2d as max_pool2d,
    max_pool2d_scatter as max_pool2d_scatter,
)
from .softmax import (
    cross_entropy as cross_entropy,
    cross_entropy_input as cross_entropy_input,
    log_softmax as log_softmax,
    log_softmax_input as log_softmax_input,
    softmax as softmax,
    softmax_input as softmax_input,
)
