"""Figures of a trained network: filters and activations."""

import builtins
import sys

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn

pytest.importorskip("matplotlib")


def shown(ax):
    (image,) = ax.get_images()
    return np.asarray(image.get_array())


def test_filters_of_one_channel():
    conv = nn.Conv2d(1, 5, 3)
    made = visualize.filters(conv)
    assert len(made.axes) == 5
    for ax, w in zip(made.axes, conv.weight.detach().numpy(), strict=True):
        np.testing.assert_allclose(shown(ax), w[0], rtol=1e-6)
        assert ax.get_images()[0].get_clim() == made.axes[0].get_images()[0].get_clim()


def test_filters_of_colours_and_of_many_channels():
    made = visualize.filters(nn.Conv2d(3, 4, 5))
    assert len(made.axes) == 4
    assert shown(made.axes[0]).shape == (5, 5, 3)
    assert shown(made.axes[0]).min() == 0.0
    assert shown(made.axes[0]).max() == 1.0
    weight = nn.Conv2d(12, 20, 3).weight
    assert len(visualize.filters(weight).axes) == 16 * 8
    assert len(visualize.filters(nn.Conv2d(1, 100, 3), most=9).axes) == 9


def test_filters_of_what_has_none():
    with pytest.raises(TypeError, match="expected a Conv2d or its weight, got ReLU"):
        visualize.filters(nn.ReLU())
    with pytest.raises(ValueError, match=r"wanted a weight of shape \(F, C, I, J\), got \(2, 3\)"):
        visualize.filters(nn.Linear(3, 2))


def test_activations_are_those_of_the_model(nets):
    model, x = nets.LeNet(), tc.randn(3, 1, 8, 8)
    made = visualize.activations(model, x, example=1, maps=2)
    labels = [ax.get_ylabel() for ax in made.axes if ax.get_ylabel()]
    assert labels == [
        "x", "conv1 conv2d", "relu", "max_pool2d", "conv2 conv2d", "relu", "fc linear"
    ]  # fmt: skip
    first = model.conv1(x).detach().numpy()[1]
    np.testing.assert_allclose(shown(made.axes[1]), first[0], rtol=1e-5)
    np.testing.assert_allclose(shown(made.axes[2]), first[1], rtol=1e-5)
    bars = [bar.get_height() for bar in made.axes[-1].patches]
    np.testing.assert_allclose(bars, model(x).detach().numpy()[1], rtol=1e-5)


def test_activations_leave_the_model_as_it_was():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    visualize.activations(model, tc.randn(2, 1, 5, 5))
    assert model[1].running_mean.tolist() == [0.0, 0.0]
    assert model[0].weight.grad is None


def test_activations_of_nothing(nets):
    with pytest.raises(TypeError, match="expected a Module"):
        visualize.activations(len, tc.ones(1, 2))
    with pytest.raises(IndexError, match="example 3 is not in a batch of 2"):
        visualize.activations(nets.mlp(), tc.ones(2, 4), example=3)


def test_without_matplotlib_the_error_says_what_to_do(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'tinygrad_cnn\[examples\]'"):
        visualize.filters(nn.Conv2d(1, 2, 3))


def test_pyplot_is_not_used():
    code = "import visualize as v; from tinygrad_cnn import nn; v.filters(nn.Conv2d(1, 2, 3))"
    import subprocess

    check = f"{code}; import sys; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)
