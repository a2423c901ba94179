"""The kernels in Numba are collected, for their doctests, where that is installed."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("numba") else ["tinygrad_cnn/kernels/compiled"]
