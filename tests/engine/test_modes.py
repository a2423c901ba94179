"""The grad modes, in all forms and in threads."""

import threading

import pytest

import tinygrad_cnn as tc

from .leaves import leaf


def test_no_grad_in_all_its_forms():
    x = leaf(1)
    assert not tc.no_grad()(lambda: x * x)().requires_grad
    assert not tc.no_grad(lambda: x * x)().requires_grad

    @tc.no_grad()
    def steps():
        yield (x * x).requires_grad
        yield (x * x).requires_grad

    walk = steps()
    assert [next(walk), (x * x).requires_grad, next(walk)] == [False, True, False]
    with tc.no_grad():
        with tc.enable_grad():
            assert (x * x).requires_grad
        assert not (x * x).requires_grad
    with pytest.raises(KeyError), tc.no_grad():
        raise KeyError
    assert tc.is_grad_enabled()
    tc.set_grad_enabled(False)
    assert not (x * x).requires_grad
    tc.set_grad_enabled(True)
    with tc.set_grad_enabled(False):
        assert not tc.is_grad_enabled()
    assert tc.is_grad_enabled()
    decorated = tc.set_grad_enabled(False)(lambda: tc.is_grad_enabled())
    assert tc.is_grad_enabled()
    assert not decorated()


def test_grad_mode_belongs_to_the_thread():
    x, seen = leaf(1), []
    with tc.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * x).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_inference_mode():
    x = tc.ones(1, requires_grad=True)
    with tc.inference_mode():
        assert not (x * 2).requires_grad
        with tc.inference_mode(False):
            assert (x * 2).requires_grad

    @tc.inference_mode()
    def f():
        return (x * 2).requires_grad

    @tc.inference_mode
    def g():
        return (x * 2).requires_grad

    assert not f()
    assert not g()
    assert tc.is_grad_enabled()


@pytest.mark.parametrize("mode", [1, "yes", None])
def test_the_mode_is_a_bool(mode):
    with pytest.raises(TypeError, match="argument 'enabled' .* must be bool, not"):
        tc.set_grad_enabled(mode)
    assert tc.is_grad_enabled()


def test_none_is_no_default_dtype():
    with pytest.raises(TypeError, match="only floating-point types are supported"):
        tc.set_default_dtype(None)
    assert tc.get_default_dtype() == tc.float32
