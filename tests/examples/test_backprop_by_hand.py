"""examples/backprop_by_hand.py: both computations agree, and each gradient has its formula."""

import numpy as np


def test_by_hand_and_by_autograd_agree(example, capsys):
    assert example("backprop_by_hand").main() < 1e-12
    printed = capsys.readouterr().out
    for letter in ("∂L/∂s", "∂L/∂V", "∂L/∂c", "∂L/∂m", "∂L/∂a", "∂L/∂z", "∂L/∂w", "∂L/∂b", "∂L/∂x"):
        assert letter in printed


def test_a_wrong_formula_would_show(example):
    by_hand = example("backprop_by_hand")
    random = np.random.default_rng(3)
    x, w, b = random.normal(size=(6, 6)), random.normal(size=(3, 3)), random.normal(size=())
    v, c = random.normal(size=(3, 9)), random.normal(size=3)
    values = by_hand.forward(x, w, b, v, c)
    _, gradients = by_hand.by_autograd(x, w, b, v, c, 1)
    for name, _, gradient in by_hand.backward(values, x, w, v, 1):
        np.testing.assert_allclose(
            gradient, gradients[name].reshape(np.shape(gradient)), atol=1e-12
        )
        assert not np.allclose(np.asarray(gradient) * 1.01, gradients[name].ravel()[0])
