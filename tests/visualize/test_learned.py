"""Figures of what a network learns: filters, activations, histories and films."""

import builtins
import json
import re
import sys

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn, optim

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


def trained(steps=70):
    tc.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    history, film = visualize.History(), visualize.Film(model)
    x, y = tc.randn(16, 2), tc.randn(16, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        history.step(loss=loss, model=model)
        film.frame(loss=loss)
        optimizer.step()
    return model, history, film


def test_history():
    _, history, _ = trained()
    assert list(history.values) == ["loss", "gradient norm", "weight norm"]
    losses = dict(history.values["loss"])
    assert len(losses) == 70
    assert losses[69] < losses[0]
    made = history.plot()
    assert [ax.get_ylabel() for ax in made.axes] == ["loss", "gradient norm", "weight norm"]
    np.testing.assert_allclose(made.axes[0].lines[0].get_ydata(), list(losses.values()))
    assert len(history.plot("loss").axes) == 1


def test_norms_by_hand():
    model = nn.Linear(2, 1, bias=False)
    with tc.no_grad():
        model.weight.copy_(tc.tensor([[3.0, 4.0]]))
    model(tc.tensor([[1.0, 2.0]])).sum().backward()
    history = visualize.History()
    history.step(model=model)
    assert history.values["weight norm"] == [(0, 5.0)]
    assert history.values["gradient norm"] == [(0, pytest.approx(5**0.5))]


def test_history_on_axes_of_ones_own():
    from matplotlib.figure import Figure

    _, history, _ = trained(5)
    ax = Figure().add_subplot()
    assert history.plot("loss", ax=ax) is ax.figure
    assert ax.get_ylabel() == "loss"
    history.plot("loss", "weight norm", ax=ax)
    assert [t.get_text() for t in ax.get_legend().get_texts()][-1] == "weight norm"


def test_history_of_nothing():
    history = visualize.History()
    with pytest.raises(ValueError, match="nothing was noted"):
        history.plot()
    with pytest.raises(TypeError, match="loss: expected a number, got str"):
        history.step(loss="low")
    history.step(loss=1.0, accuracy=None)
    with pytest.raises(KeyError, match="'accuracy' was not noted; there are loss"):
        history.plot("accuracy")


def test_a_value_that_is_not_finite_is_left_out_of_the_mean():
    from visualize.history import smooth

    assert smooth(np.array([1.0, np.nan, 1.0])).tolist() == [1.0, 1.0, 1.0]


def test_film(tmp_path):
    _, _, film = trained(6)
    assert len(film) == 6
    assert film.notes[0].startswith("step 1, loss ")
    before, after = film.weights[0][0], film.weights[5][0]
    assert not np.array_equal(before, after)  # kept, not the array that is trained
    gif = film.save(tmp_path / "film.gif")
    assert gif.read_bytes().startswith(b"GIF89a")
    from PIL import Image

    with Image.open(gif) as picture:
        assert picture.n_frames == 6
    page = film.save(tmp_path / "film.html").read_text()
    data = json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page)[1])
    np.testing.assert_allclose(data["frames"][5][0], after, atol=1e-4)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_film_lines_are_the_weights():
    from matplotlib.collections import LineCollection

    _, _, film = trained(3)
    ax = film.figure(-1).axes[0]
    first, second = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert len(first.get_segments()) == 6
    assert len(second.get_segments()) == 3
    widths = np.array(first.get_linewidths())
    assert np.argmax(widths) == np.argmax(np.abs(film.weights[-1][0]).ravel())


def test_films_of_nothing(tmp_path):
    with pytest.raises(ValueError, match="Film: ReLU has no Linear layer"):
        visualize.Film(nn.ReLU())
    film = visualize.Film(nn.Linear(2, 40))
    assert film.sizes == [2, 16]
    with pytest.raises(ValueError, match="the film has no frame"):
        film.save(tmp_path / "a.gif")
    with pytest.raises(IndexError, match="frame 0 does not exist"):
        film.figure(0)
    film.frame()
    with pytest.raises(ValueError, match=r"must end in \.gif or \.html"):
        film.save(tmp_path / "a.mp4")


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
