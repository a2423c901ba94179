"""Functions of other libraries: where these are installed, and what is said where they are not."""

import sys
import types

import numpy as np
import pytest
from hypothesis import settings

from tinygrad_cnn.testing import (
    Call,
    GradientError,
    adapters,
    check_op,
    check_second_order,
    check_vjp,
    separated_arrays,
)

X = np.array([0.5, -1.0, 2.0])
CALLS = separated_arrays((2, 3)).map(lambda x: Call((x,)))
NAMES = ("torch", "jax", "autograd", "mygrad")


def adapter(name):
    return getattr(adapters, f"from_{name}")


@pytest.mark.parametrize("name", NAMES)
def test_a_library_that_is_not_loaded(name, monkeypatch):
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(TypeError, match=f"from_{name}: {name} is not loaded"):
        adapter(name)(np.sin)


# --- A library in miniature, with MyGrad's names ---------------------------------------------------


class Small:
    """A tensor that can be multiplied by itself, with the gradient `factor` times the right one."""

    def __init__(self, array, factor=1.0):
        self.array, self.factor, self.grad, self.dtype = array, factor, None, array.dtype

    def __array__(self, dtype=None, copy=None):
        return self.array


class Square:
    def __init__(self, x):
        self.x, self.dtype = x, x.array.dtype

    def backward(self, g):
        self.x.grad = self.x.factor * 2 * g * self.x.array

    def __array__(self, dtype=None, copy=None):
        return self.x.array**2


class NoAutodiff:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def library(factor):
    made = types.ModuleType("mygrad")
    made.tensor, made.no_autodiff = (lambda x: Small(x, factor)), NoAutodiff()
    return made


def square(x):
    return Square(x) if isinstance(x, Small) else x**2


def test_a_library_in_miniature(monkeypatch):
    monkeypatch.setitem(sys.modules, "mygrad", library(1.0))
    check_vjp(adapters.from_mygrad(square), X)
    check_op(adapters.from_mygrad(square), CALLS)


def test_a_wrong_library_in_miniature(monkeypatch):
    monkeypatch.setitem(sys.modules, "mygrad", library(1.001))
    with pytest.raises(GradientError, match="vjp wrong") as caught:
        check_op(adapters.from_mygrad(square), CALLS)
    assert caught.value.op == "square"
    assert "testing.adapters.from_mygrad(square)" in caught.value.snippet


# --- Where they are installed -----------------------------------------------------------------------


def few(check, *arguments, **options):
    """A check on few calls: a library that compiles takes long for each."""
    with pytest.MonkeyPatch.context():
        name = settings.get_current_profile_name()
        settings.register_profile("few", settings.get_profile(name), max_examples=3)
        settings.load_profile("few")
        try:
            check(*arguments, **options)
        finally:
            settings.load_profile(name)


def functions(name):
    """(right, wrong by 0.1 %) functions of a library."""
    library = pytest.importorskip(name)
    if name == "torch":

        class Sine(library.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x.sin()

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g * x.cos()

        class Wrong(Sine):
            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g * x.cos() * 1.001

        return Sine, Wrong
    if name == "jax":
        sine = library.custom_vjp(library.numpy.sin)
        sine.defvjp(lambda x: (sine(x), x), lambda x, g: (1.001 * g * library.numpy.cos(x),))
        return library.numpy.sin, sine
    if name == "autograd":
        extend = pytest.importorskip("autograd.extend")
        anp = pytest.importorskip("autograd.numpy")
        wrong = extend.primitive(lambda x: anp.sin(x))
        extend.defvjp(wrong, lambda y, x: lambda g: 1.001 * g * anp.cos(x))
        return anp.sin, wrong
    return library.sin, None


@pytest.mark.parametrize("name", NAMES)
def test_right_functions(name):
    right, _ = functions(name)
    few(check_op, adapter(name)(right), CALLS)
    check_vjp(adapter(name)(right), X.astype(np.float32))
    check_second_order(adapter(name)(right), X)


@pytest.mark.parametrize("name", NAMES[:3])
def test_wrong_functions(name):
    _, wrong = functions(name)
    with pytest.raises(GradientError, match="vjp wrong"):
        check_vjp(adapter(name)(wrong), X)
    with pytest.raises(GradientError, match="vjp wrong"):
        few(check_op, adapter(name)(wrong), CALLS)


def test_writes_and_stale_values_of_torch_are_noticed():
    right, _ = functions("torch")

    class Writes(right):
        @staticmethod
        def backward(ctx, g):
            return g.mul_(2) / 2

    class Stale(right):
        @staticmethod
        def forward(ctx, x):
            Stale.last = x.clone()
            return x.sin()

        @staticmethod
        def backward(ctx, g):
            Stale.first = getattr(Stale, "first", Stale.last)
            return g * Stale.first.cos()

    with pytest.raises(GradientError, match="changed the cotangent"):
        few(check_op, adapters.from_torch(Writes), CALLS)
    with pytest.raises(GradientError):
        few(check_op, adapters.from_torch(Stale), CALLS)


def test_a_module_of_torch():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Tanh())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    check_vjp(adapters.from_torch(model), np.random.default_rng(0).normal(size=(4, 3)))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with pytest.raises(TypeError, match="wanted a function"):
        adapters.from_torch(3)
