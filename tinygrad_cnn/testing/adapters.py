"""Functions of other libraries for the checks: PyTorch, JAX, autograd, MyGrad.

Each adapter takes a function of its library, and returns a `Differentiable`, which every check
takes. Nothing is imported here: the object that you pass has loaded its library.

    import torch
    from tinygrad_cnn.testing import adapters, check_vjp

    check_vjp(adapters.from_torch(MyFunction), np.array([0.5, -1.0]))
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from .core.differentiable import Differentiable
from .core.subject import Array, is_floating, module_of

SEED = 20  # of the random numbers of a module: each call draws the same


def _library(name: str, fn: object) -> ModuleType:
    found = sys.modules.get(name)
    if found is None:
        raise TypeError(
            f"from_{name}: {name} is not loaded, so {fn!r} cannot be one of its functions"
        )
    return found


def _name(fn: Any) -> str:
    return str(getattr(fn, "__name__", type(fn).__name__))


def _parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def _cotangents(g: Any) -> list[Array]:
    return list(g) if isinstance(g, tuple) else [g]


def from_torch(fn: Any) -> Differentiable:
    """A function of PyTorch's tensors, a class of `torch.autograd.Function`, or a `torch.nn.Module`.

    The parameters of a module are inputs too, by name. The module is not changed, and each call
    draws the same random numbers. Raises TypeError if torch is not loaded.
    """
    torch: Any = _library("torch", fn)
    extra: dict[str, Array] = {}
    call: Any = fn
    if isinstance(fn, type) and issubclass(fn, torch.autograd.Function):
        call = fn.apply  # type: ignore[attr-defined]
    elif isinstance(fn, torch.nn.Module):
        extra = {
            n: p.detach().cpu().numpy().copy() for n, p in fn.named_parameters() if p.requires_grad
        }
        call = _torch_module(torch, fn, list(extra))
    if not callable(call):
        raise TypeError(f"from_torch: wanted a function, a Function or a Module, got {fn!r}")

    def run(xs: Sequence[Any], attributes: Any, record: bool) -> tuple[list[Any], list[Any]]:
        tensors = [_torch_tensor(torch, x) if isinstance(x, np.ndarray) else x for x in xs]
        for x, t in zip(xs, tensors, strict=True):
            if record and is_floating(x):
                t.requires_grad_()
        with torch.random.fork_rng(devices=[]), torch.set_grad_enabled(record):
            torch.manual_seed(SEED)
            outputs = _parts(call(*tensors, **attributes))
        inputs = [t for x, t in zip(xs, tensors, strict=True) if is_floating(x)]
        return inputs, [y for y in outputs if y.is_floating_point()]

    def pull(ys: Sequence[Any], inputs: Sequence[Any], us: Sequence[Any], record: bool) -> Any:
        reached = [(y, u) for y, u in zip(ys, us, strict=True) if y.requires_grad]
        found: Sequence[Any] = [None] * len(inputs)
        if reached:
            outputs, cotangents = zip(*reached, strict=True)
            found = torch.autograd.grad(
                outputs, inputs, cotangents, create_graph=record, allow_unused=True
            )
        return [torch.zeros_like(t) if f is None else f for t, f in zip(inputs, found, strict=True)]

    def value(*xs: Any, **attributes: Any) -> list[Array]:
        return [y.detach().numpy() for y in run(xs, attributes, False)[1]]

    def vjp(g: Any, *xs: Any, **attributes: Any) -> list[Array]:
        inputs, ys = run(xs, attributes, True)
        us = [_torch_tensor(torch, u).to(y.dtype) for u, y in zip(_cotangents(g), ys, strict=True)]
        return [f.detach().numpy() for f in pull(ys, inputs, us, False)]

    def second(hs: Any, g: Any, *xs: Any, **attributes: Any) -> list[Array]:
        inputs, ys = run(xs, attributes, True)
        us = [
            _torch_tensor(torch, u).to(y.dtype).requires_grad_()
            for u, y in zip(_cotangents(g), ys, strict=True)
        ]
        firsts = pull(ys, inputs, us, True)
        cotangents = [_torch_tensor(torch, h).to(f.dtype) for h, f in zip(hs, firsts, strict=True)]
        return [f.detach().numpy() for f in pull(firsts, [*inputs, *us], cotangents, False)]

    return Differentiable(
        value,
        vjp,
        name=_name(fn),
        module=module_of(fn),
        made=(from_torch, fn),
        second=second,
        extra=extra,
    )


def _torch_tensor(torch: Any, x: Array) -> Any:
    """The array as a tensor of the same strides, on the same memory if x is writable.

    PyTorch has no negative strides: such an array is copied.
    """
    if x.flags.writeable and all(stride >= 0 for stride in x.strides):
        return torch.from_numpy(x)
    single = x[tuple(slice(0, 1) if stride == 0 else slice(None) for stride in x.strides)]
    return torch.from_numpy(np.array(single, order="K")).expand(x.shape)


def _torch_module(torch: Any, module: Any, names: Sequence[str]) -> Callable[..., Any]:
    """The module as a function of its inputs and then of the parameters with these names."""

    def call(*given: Any, **attributes: Any) -> Any:
        inputs = given[: len(given) - len(names)]
        parameters = (p.contiguous() for p in given[len(inputs) :])  # as those of a module are
        replaced = dict(zip(names, parameters, strict=True))
        floats = [t for t in given if isinstance(t, torch.Tensor) and t.is_floating_point()]
        dtype = floats[0].dtype if floats else None
        for name, buffer in module.named_buffers():
            floating = buffer.is_floating_point() and dtype is not None
            replaced[name] = buffer.to(dtype, copy=True) if floating else buffer.clone()
        return torch.func.functional_call(module, replaced, inputs, attributes)

    return call


def from_jax(fn: Any) -> Differentiable:
    """A function of JAX's arrays, with or without a `custom_vjp`. It runs in float64.

    Raises TypeError if jax is not loaded.
    """
    jax: Any = _library("jax", fn)
    home = jax if hasattr(jax, "enable_x64") else jax.experimental
    double = home.enable_x64

    def of_floats(xs: Sequence[Any], attributes: Any) -> tuple[list[int], Callable[..., Any]]:
        """The places of the inputs of floating point, and the function of these alone."""
        places = [k for k, x in enumerate(xs) if is_floating(x)]

        def call(*floats: Any) -> list[Any]:
            given = dict(zip(places, floats, strict=True))
            outputs = _parts(fn(*(given.get(k, x) for k, x in enumerate(xs)), **attributes))
            return [y for y in map(jax.numpy.asarray, outputs) if y.dtype.kind == "f"]

        return places, call

    def value(*xs: Any, **attributes: Any) -> list[Array]:
        with double(True):
            places, call = of_floats(xs, attributes)
            return [np.asarray(y) for y in call(*(jax.numpy.asarray(xs[k]) for k in places))]

    def vjp(g: Any, *xs: Any, **attributes: Any) -> list[Array]:
        with double(True):
            places, call = of_floats(xs, attributes)
            ys, pull = jax.vjp(call, *(jax.numpy.asarray(xs[k]) for k in places))
            us = [jax.numpy.asarray(u, y.dtype) for u, y in zip(_cotangents(g), ys, strict=True)]
            return [np.asarray(f) for f in pull(us)]

    def second(hs: Any, g: Any, *xs: Any, **attributes: Any) -> list[Array]:
        with double(True):
            places, call = of_floats(xs, attributes)
            floats = [jax.numpy.asarray(xs[k]) for k in places]
            us = [jax.numpy.asarray(u) for u in _cotangents(g)]

            def gradient(*given: Any) -> Any:
                return jax.vjp(call, *given[: len(floats)])[1](list(given[len(floats) :]))

            _, pull = jax.vjp(gradient, *floats, *us)
            return [np.asarray(f) for f in pull(tuple(map(jax.numpy.asarray, hs)))]

    return Differentiable(
        value, vjp, name=_name(fn), module=module_of(fn), made=(from_jax, fn), second=second
    )


def from_autograd(fn: Any) -> Differentiable:
    """A function of autograd's `numpy` that returns one array.

    Raises TypeError if autograd is not loaded.
    """
    autograd: Any = _library("autograd", fn)

    def of_floats(xs: Sequence[Any], attributes: Any) -> tuple[list[Any], Callable[..., Any]]:
        places = [k for k, x in enumerate(xs) if is_floating(x)]

        def call(floats: Any) -> Any:
            given = dict(zip(places, floats, strict=True))
            return fn(*(given.get(k, x) for k, x in enumerate(xs)), **attributes)

        return [xs[k] for k in places], call

    def value(*xs: Any, **attributes: Any) -> Array:
        return np.asarray(fn(*xs, **attributes))

    def vjp(g: Any, *xs: Any, **attributes: Any) -> list[Array]:
        floats, call = of_floats(xs, attributes)
        pull, y = autograd.make_vjp(call)(tuple(floats))
        return [np.asarray(f) for f in pull(np.asarray(g, np.asarray(y).dtype))]

    def second(hs: Any, g: Any, *xs: Any, **attributes: Any) -> list[Array]:
        floats, call = of_floats(xs, attributes)

        def gradient(given: Any) -> Any:
            return autograd.make_vjp(call)(tuple(given[: len(floats)]))[0](given[len(floats)])

        pull, _ = autograd.make_vjp(gradient)((*floats, np.asarray(g)))
        return [np.asarray(f) for f in pull(tuple(hs))]

    return Differentiable(
        value, vjp, name=_name(fn), module=module_of(fn), made=(from_autograd, fn), second=second
    )


def from_mygrad(fn: Any) -> Differentiable:
    """A function of MyGrad's tensors that returns one tensor. MyGrad has no second derivatives.

    Raises TypeError if mygrad is not loaded.
    """
    mygrad: Any = _library("mygrad", fn)

    def value(*xs: Any, **attributes: Any) -> Array:
        with mygrad.no_autodiff:
            return np.asarray(fn(*xs, **attributes))

    def vjp(g: Any, *xs: Any, **attributes: Any) -> list[Array | None]:
        given = [mygrad.tensor(x) if is_floating(x) else x for x in xs]
        y = fn(*given, **attributes)
        y.backward(np.asarray(g, y.dtype))
        return [t.grad for x, t in zip(xs, given, strict=True) if is_floating(x)]

    return Differentiable(value, vjp, name=_name(fn), module=module_of(fn), made=(from_mygrad, fn))
