"""Figures of a trained network: filters and activations."""

import builtins
import sys

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
from visualize import plots

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
    conv = nn.Conv2d(3, 4, 5)
    made = visualize.filters(conv)
    assert len(made.axes) == 4
    assert shown(made.axes[0]).shape == (5, 5, 3)
    w = conv.weight.detach().numpy()
    limit = np.abs(w).max()  # one scale, of which 0 is the middle
    for ax, image in zip(made.axes, w.transpose(0, 2, 3, 1), strict=True):
        np.testing.assert_allclose(shown(ax), image / limit / 2 + 0.5, atol=1e-6)
    assert made.get_suptitle().startswith("full colour: ±")
    weight = nn.Conv2d(12, 20, 3).weight
    assert len(visualize.filters(weight).axes) == 16 * 8
    assert len(visualize.filters(nn.Conv2d(1, 100, 3), most=9).axes) == 9
    one_axis = visualize.filters(nn.Conv1d(4, 6, 5))
    assert [shown(ax).shape for ax in one_axis.axes] == [(4, 5)] * 6


def test_filters_of_what_has_none():
    with pytest.raises(TypeError, match="expected a Conv2d or its weight, got ReLU"):
        visualize.filters(nn.ReLU())
    with pytest.raises(ValueError, match=r"wanted a weight of shape \(F, C, I, J\), got \(2, 3\)"):
        visualize.filters(nn.Linear(3, 2))


def test_activations_are_those_of_the_model(nets):
    model, x = nets.LeNet(), tc.randn(3, 1, 8, 8)
    made = visualize.activations(model, x, example=1, maps=2)
    labels = [ax.get_ylabel().splitlines()[0] for ax in made.axes if ax.get_ylabel()]
    assert labels == [
        "x", "conv1 conv2d", "relu", "max_pool2d", "conv2 conv2d", "relu", "fc linear"
    ]  # fmt: skip
    first = model.conv1(x).detach().numpy()[1]
    np.testing.assert_allclose(shown(made.axes[1]), first[0], rtol=1e-5)
    np.testing.assert_allclose(shown(made.axes[2]), first[1], rtol=1e-5)
    bars = [bar.get_height() for bar in made.axes[-1].patches]
    np.testing.assert_allclose(bars, model(x).detach().numpy()[1], rtol=1e-5)
    limit = np.abs(first).max()
    assert made.axes[1].get_ylabel() == f"conv1 conv2d\n±{limit:.3g}"
    assert made.axes[1].get_images()[0].get_clim() == pytest.approx((-limit, limit), rel=1e-6)


def test_activations_have_names_of_classes(nets):
    model, x = nets.LeNet(), tc.randn(3, 1, 8, 8)
    names = ["cat", "dog", "cow", "hen"]
    last = visualize.activations(model, x, classes=names).axes[-1]
    assert [label.get_text() for label in last.get_xticklabels()] == names
    best = names[int(model(x)[0].argmax())]
    assert [t.get_text() for t in last.get_xticklabels() if t.get_fontweight() == "bold"] == [best]
    with pytest.raises(ValueError, match=r"2 classes for an output of shape \(4,\)"):
        visualize.activations(model, x, classes=["a", "b"])


def test_activations_of_any_rank():
    class Ranks(nn.Module):
        def forward(self, x):  # (N, T, F)
            volume = x[:, None, None].tanh() * tc.ones(1, 2, 3, 1, 1)  # (N, 2, 3, T, F)
            return volume.sum(dim=(1, 2, 3, 4)).exp()  # (N,)

    made = visualize.activations(Ranks(), tc.randn(2, 5, 4), maps=8)
    labels = [ax.get_ylabel().splitlines()[0] for ax in made.axes if ax.get_ylabel()]
    assert labels == ["x", "getitem", "tanh", "mul", "sum", "exp"]
    assert shown(made.axes[0]).shape == (5, 4)  # a sequence
    assert [ax.get_title() for ax in made.axes][-8:-2] == list("012345")  # planes of a volume


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

    plots._figure_class.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'tinygrad_cnn\[examples\]'"):
        visualize.filters(nn.Conv2d(1, 2, 3))


def test_pyplot_is_not_used():
    code = "import visualize as v; from tinygrad_cnn import nn; v.filters(nn.Conv2d(1, 2, 3))"
    import subprocess

    check = f"{code}; import sys; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)
