"""Property-based testing of gradients: for the ops of this package, and for your own.

>>> import numpy as np
>>> import tinygrad_cnn as tc
>>> from tinygrad_cnn.testing import check_op, check_vjp
>>> check_vjp(lambda x: tc.softmax(x, 1), np.random.default_rng(0).normal(size=(2, 3)))
>>> check_op(tc.tanh)

It needs Hypothesis (the extra `test`); the rest of the package does not.
"""

from .calls import Call, register_strategy, strategy_for
from .check import check_adjoint, check_kink, check_second_order, check_vjp
from .check_op import check_call, check_convention, check_op
from .differences import numerical_jvp, taylor_slope
from .errors import GradientError
from .leaks import assert_no_leak
from .modules import check_module
from .mutants import Mutant, Score, mutation_score
from .program import Program
from .programs import graph_programs
from .strategies import (
    broadcastable_shapes,
    conv2d_configs,
    label_arrays,
    pool2d_configs,
    separated_arrays,
    shapes,
)

__all__ = [
    "Call",
    "GradientError",
    "Mutant",
    "Program",
    "Score",
    "assert_no_leak",
    "broadcastable_shapes",
    "check_adjoint",
    "check_call",
    "check_convention",
    "check_kink",
    "check_module",
    "check_op",
    "check_second_order",
    "check_vjp",
    "conv2d_configs",
    "graph_programs",
    "label_arrays",
    "mutation_score",
    "numerical_jvp",
    "pool2d_configs",
    "register_strategy",
    "separated_arrays",
    "shapes",
    "strategy_for",
    "taylor_slope",
]
