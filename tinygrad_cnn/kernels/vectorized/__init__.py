"""The kernels on NumPy alone: the set that other sets fall back to.

| file | kernels |
|---|---|
| `matmul` | matrix products, on our threads |
| `convolution` | the choice of a method; products with unfolded windows (`im2col`) |
| `winograd`, `col2im` | other methods: fewer multiplications, and gradients of images |
| `pooling`, `normalization`, `softmax`, `recurrent` | what their names say |
| `passes` | large arrays in parts that stay in the cache; sums |
| `elementwise`, `blockwise` | functions of arrays, and updates of optimizers |
| `blocks`, `thread_pool`, `tuning` | work cut into blocks, threads, constants |
"""

from ..contract import register
from ..memory import keep_freed_memory
from . import (
    blockwise,
    convolution,
    elementwise,
    matmul,
    normalization,
    passes,
    pooling,
    recurrent,
    softmax,
)

keep_freed_memory()
register(
    "vectorized",
    matmul.matmul,
    convolution.conv2d,
    convolution.conv2d_input,
    convolution.conv2d_weight,
    pooling.max_pool2d,
    pooling.max_pool2d_positions,
    pooling.max_pool2d_scatter,
    pooling.max_pool2d_gather,
    pooling.avg_pool2d,
    pooling.avg_pool2d_input,
    passes.sum_over,
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
)
