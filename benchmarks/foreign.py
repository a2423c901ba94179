"""Checkers of gradients of other libraries, for functions of NumPy arrays.

Each is a function (functions, inputs) that raises an exception if the vjp is wrong at the inputs.
`functions` is a pair: the value, and the vjp (inputs, cotangents) ↦ gradients. Each library runs
with its own defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Functions = tuple[Callable[..., Any], Callable[[Sequence[Any], Sequence[Any]], Sequence[Any]]]
Checker = Callable[[Functions, Sequence[Any]], None]


def in_one(functions: Functions) -> Functions:
    """The same function with all outputs in one array, for checkers that know one output."""
    value, vjp = functions

    def outputs(xs: Sequence[Any]) -> tuple[Any, ...]:
        y = value(*xs)
        return y if isinstance(y, tuple) else (y,)

    def joined(*xs: Any) -> Any:
        ys = [np.asarray(y) for y in outputs(xs)]
        return ys[0] if len(ys) == 1 else np.concatenate([y.ravel() for y in ys])

    def back(xs: Sequence[Any], gs: Sequence[Any]) -> Sequence[Any]:
        ys = [np.asarray(y) for y in outputs(xs)]
        if len(ys) == 1:
            return vjp(xs, gs)
        ends = np.cumsum([y.size for y in ys])[:-1]
        parts = np.split(np.asarray(gs[0]), ends)
        return vjp(xs, [g.reshape(y.shape) for g, y in zip(parts, ys, strict=True)])

    return joined, back


def sum_of_outputs(functions: Functions, inputs: Sequence[Any]) -> None:
    """Compare each element of the gradient of y.sum() with a central difference."""
    value, vjp = in_one(functions)
    xs = [np.array(x) for x in inputs]
    gradients = vjp(xs, [np.ones_like(value(*xs))])
    h = 1e-6
    for x, gradient in zip(xs, gradients, strict=True):
        for index in np.ndindex(x.shape):
            at, sums = x[index], []
            for x[index] in (at + h, at - h):
                sums.append(value(*xs).sum())
            x[index] = at
            np.testing.assert_allclose(
                gradient[index], (sums[0] - sums[1]) / (2 * h), rtol=1e-5, atol=1e-7
            )


def torch_gradcheck(functions: Functions, inputs: Sequence[Any], fast: bool = False) -> None:
    """torch.autograd.gradcheck of a torch.autograd.Function."""
    import torch

    value, vjp = functions

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            ctx.save_for_backward(*xs)
            y = value(*(x.detach().numpy() for x in xs))
            ys = [
                torch.from_numpy(np.array(part)) for part in (y if isinstance(y, tuple) else (y,))
            ]
            return tuple(ys) if isinstance(y, tuple) else ys[0]

        @staticmethod
        def backward(ctx: Any, *gs: Any) -> Any:
            found = vjp([x.numpy() for x in ctx.saved_tensors], [np.array(g.numpy()) for g in gs])
            return tuple(torch.from_numpy(np.array(gradient)) for gradient in found)

    xs = tuple(torch.tensor(np.array(x), requires_grad=True) for x in inputs)
    torch.autograd.gradcheck(Wrapped.apply, xs, fast_mode=fast)


def torch_fast(functions: Functions, inputs: Sequence[Any]) -> None:
    """torch.autograd.gradcheck in its fast mode."""
    torch_gradcheck(functions, inputs, fast=True)


def jax_check_grads(functions: Functions, inputs: Sequence[Any]) -> None:
    """jax.test_util.check_grads of a jax.custom_vjp, first order in reverse mode."""
    import jax
    from jax.test_util import check_grads

    value, vjp = functions
    jax.config.update("jax_enable_x64", True)

    def described(arrays: Any) -> Any:
        found = tuple(jax.ShapeDtypeStruct(np.shape(x), np.asarray(x).dtype) for x in arrays)
        return found

    y = value(*map(np.array, inputs))
    several = isinstance(y, tuple)
    shapes = described(inputs)
    outputs = described(y) if several else described((y,))[0]

    def run(*xs: Any) -> Any:
        found = value(*map(np.array, xs))
        return tuple(map(np.asarray, found)) if several else np.asarray(found)

    def back(g: Any, *xs: Any) -> Any:
        gs = [np.array(part) for part in (g if several else (g,))]
        found = vjp([np.array(x) for x in xs], gs)
        return tuple(np.asarray(gradient) for gradient in found)

    @jax.custom_vjp
    def fn(*xs: Any) -> Any:
        return jax.pure_callback(run, outputs, *xs)

    fn.defvjp(lambda *xs: (fn(*xs), xs), lambda xs, g: jax.pure_callback(back, shapes, g, *xs))
    check_grads(fn, tuple(map(jax.numpy.asarray, inputs)), order=1, modes=["rev"])


def hips_check_grads(functions: Functions, inputs: Sequence[Any]) -> None:
    """autograd.test_util.check_grads of a primitive, first order in reverse mode."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    value, vjp = in_one(functions)
    fn = primitive(value)

    def maker(k: int) -> Any:
        return lambda y, *xs: lambda g: vjp(xs, [np.asarray(g)])[k]

    defvjp(fn, *(maker(k) for k in range(len(inputs))))
    for k in range(len(inputs)):
        check_grads(fn, k, modes=["rev"], order=1)(*map(np.array, inputs))


def chainer_check_backward(functions: Functions, inputs: Sequence[Any]) -> None:
    """chainer.gradient_check.check_backward of a FunctionNode, with a random cotangent."""
    from chainer import FunctionNode, Variable, gradient_check

    value, vjp = functions

    class Wrapped(FunctionNode):
        def forward(self, xs: Any) -> Any:
            self.retain_inputs(tuple(range(len(xs))))
            y = value(*xs)
            return tuple(np.asarray(part) for part in (y if isinstance(y, tuple) else (y,)))

        def backward(self, indexes: Any, gs: Any) -> Any:
            xs = [x.array for x in self.get_retained_inputs()]
            found = vjp(xs, [np.array(g.array) for g in gs])
            return tuple(Variable(np.asarray(found[k])) for k in indexes)

    xs = tuple(np.array(x) for x in inputs)
    y = value(*xs)
    rng = np.random.default_rng(0)
    np.random.seed(0)  # of the directions
    gs = tuple(
        np.asarray(rng.normal(size=np.shape(part)), np.asarray(part).dtype)
        for part in (y if isinstance(y, tuple) else (y,))
    )
    gradient_check.check_backward(lambda *xs: Wrapped().apply(xs), xs, gs)


def tensorflow_gradient(functions: Functions, inputs: Sequence[Any]) -> None:
    """tf.test.compute_gradient of a tf.custom_gradient, with the tolerances of its example."""
    import tensorflow as tf

    value, vjp = in_one(functions)
    xs = [np.array(x) for x in inputs]
    shape, dtype = np.shape(value(*xs)), np.asarray(value(*xs)).dtype

    @tf.custom_gradient
    def fn(*given: Any) -> Any:
        y = tf.numpy_function(lambda *a: np.asarray(value(*a)), given, dtype)
        y.set_shape(shape)

        def back(g: Any) -> Any:
            found = tf.numpy_function(
                lambda g, *a: [np.asarray(d) for d in vjp(a, [np.array(g)])],
                (g, *given),
                [x.dtype for x in given],
            )
            found = found if isinstance(found, (list, tuple)) else [found]  # one input
            for gradient, x in zip(found, given, strict=True):
                gradient.set_shape(x.shape)
            return found

        return y, back

    by_vjp, by_difference = tf.test.compute_gradient(fn, xs)
    for a, b in zip(by_vjp, by_difference, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
