"""The kernels in Numba. Importing this raises ImportError where Numba is not installed.

| file | what it does |
|---|---|
| `convolution` | chooses `winograd`, `direct`, `pointwise`, `depthwise` or `batched` |
| `matmul`, `pooling`, `normalization`, `softmax`, `recurrent` | their kernels |
| `elementwise`, `blockwise` | run programs that `trace` makes of functions of arrays |
| `loops` | the compiled loops, called by the file of the same name here |
| `calls`, `team` | calls of loops, on threads that share their work |
| `jit` | compiles the loops, and stores the code on disk |
| `code`, `vector`, `scalars`, `exponential`, `machine` | the language of the loops |
| `tuning` | constants |

Cases that the loops do not cover (float16, unaligned arrays, huge windows) go to the NumPy kernels,
by way of the contract: `FALLBACK`.
"""

from ..contract import register
from . import (
    blockwise,
    convolution,
    elementwise,
    matmul,
    normalization,
    pooling,
    recurrent,
    softmax,
)

register(
    "compiled",
    matmul.matmul,
    convolution.conv2d,
    convolution.conv2d_input,
    convolution.conv2d_weight,
    pooling.max_pool2d,
    pooling.max_pool2d_scatter,
    pooling.avg_pool2d,
    pooling.avg_pool2d_input,
    normalization.moments,
    normalization.moments_with,
    normalization.weight_sums,
    normalization.normalize,
    normalization.normalize_input,
    elementwise.elementwise,
    blockwise.blockwise,
    softmax.softmax,
    softmax.softmax_input,
    softmax.log_softmax,
    softmax.log_softmax_input,
    softmax.cross_entropy,
    softmax.cross_entropy_input,
    recurrent.rnn,
    recurrent.rnn_input,
    recurrent.lstm,
    recurrent.lstm_input,
    recurrent.gru,
    recurrent.gru_input,
    fallback="vectorized",
)
