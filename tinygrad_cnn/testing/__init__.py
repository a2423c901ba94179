"""Property-based tests of gradients: for the ops of this package and for your own.

>>> import numpy as np
>>> import tinygrad_cnn as tc
>>> from tinygrad_cnn.testing import check_op, check_vjp
>>> check_vjp(lambda x: tc.softmax(x, 1), np.random.default_rng(0).normal(size=(2, 3)))
>>> check_op(tc.tanh)

The checks are at the top. Three rooms use them:

- `ours`: how the ops of this package are called, and their references;
- `mutation`: wrong vjps, and how many of them `check_op` notices;
- `programs`: whole programs over tensors, compared with a naive oracle.

They need Hypothesis (the extra `testing`). `assert_close` does not, and compares any values.
"""

import typing as _typing

from .closeness import assert_close

try:
    import hypothesis as _hypothesis  # noqa: F401
except ModuleNotFoundError as _error:
    _missing = _error.name

    def __getattr__(name: str) -> _typing.Any:
        if name.startswith("__"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        raise ModuleNotFoundError(
            "tinygrad_cnn.testing needs Hypothesis: pip install 'tinygrad_cnn[testing]'",
            name=_missing,
        )
else:
    from . import adapters
    from .calls import Call
    from .check import check_adjoint, check_kink, check_second_order, check_vjp
    from .check_module import check_module
    from .check_op import check_call, check_convention, check_op
    from .configs import conv2d_configs, pool2d_configs
    from .core.differentiable import Differentiable
    from .differences import numerical_jvp, taylor_slope
    from .entries import register_strategy, sources, strategy_for
    from .errors import GradientError
    from .leaks import assert_no_leak
    from .mutation import Mutant, Score, mutation_score
    from .ours import register_family
    from .programs import Program, graph_programs
    from .strategies import broadcastable_shapes, label_arrays, separated_arrays, shapes

    sources.append(register_family)  # it finds the strategies of the ops of this package

__all__ = [
    "Call",
    "Differentiable",
    "GradientError",
    "Mutant",
    "Program",
    "Score",
    "adapters",
    "assert_close",
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
