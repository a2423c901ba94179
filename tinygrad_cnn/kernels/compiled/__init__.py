"""The kernels in Numba: see docs/speed.md. Raises ImportError where that is not installed."""

from ..vectorized import max_pool2d_gather as max_pool2d_gather
from ..vectorized import max_pool2d_positions as max_pool2d_positions
from .blockwise import blockwise as blockwise
from .convolution import conv2d as conv2d
from .convolution import conv2d_input as conv2d_input
from .convolution import conv2d_weight as conv2d_weight
from .elementwise import hardtanh as hardtanh
from .elementwise import keep as keep
from .elementwise import relu as relu
from .elementwise import relu_input as relu_input
from .matmul import matmul as matmul
from .normalization import moments as moments
from .normalization import moments_with as moments_with
from .normalization import normalize as normalize
from .normalization import normalize_input as normalize_input
from .pooling import avg_pool2d as avg_pool2d
from .pooling import avg_pool2d_input as avg_pool2d_input
from .pooling import max_pool2d as max_pool2d
from .pooling import max_pool2d_scatter as max_pool2d_scatter
from .softmax import cross_entropy as cross_entropy
from .softmax import cross_entropy_input as cross_entropy_input
from .softmax import log_softmax as log_softmax
from .softmax import log_softmax_input as log_softmax_input
from .softmax import softmax as softmax
from .softmax import softmax_input as softmax_input
