"""History: numbers noted during training, and their curves."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn

pytest.importorskip("matplotlib")


def test_history(trained):
    _, history, _ = trained()
    assert list(history.values) == ["loss", "gradient norm", "weight norm", "update ratio"]
    losses = dict(history.values["loss"])
    assert len(losses) == 70
    assert losses[69] < losses[0]
    made = history.plot()
    assert [ax.get_ylabel() for ax in made.axes] == [
        "loss",
        "gradient norm",
        "weight norm",
        "update ratio",
    ]
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


def test_history_on_axes_of_ones_own(trained):
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


def test_a_line_is_broken_where_a_value_is_not_finite():
    from visualize.history import smooth

    np.testing.assert_array_equal(smooth(np.array([1.0, np.nan, 1.0])), [1.0, np.nan, 1.0])
    history = visualize.History()
    for loss in (3.0, 2.0, float("inf"), float("nan"), 1.0):
        history.step(loss=loss)
    (ax,) = history.plot().axes
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [3.0, 2.0, np.nan, np.nan, 1.0])
    assert [text.get_text() for text in ax.texts] == ["inf at step 2"]


@pytest.mark.parametrize(("low", "high"), [(1.0, 30.0), (1e-3, 1e3), (1e-9, 1e9)])
def test_ticks_of_norms_are_few_and_plain(low, high):
    history = visualize.History()
    for value in np.geomspace(low, high, 20):
        history.step(**{"gradient norm": value})
    made = history.plot()
    (ax,) = made.axes
    made.canvas.draw()
    assert ax.get_yscale() == "log"
    bottom, top = ax.get_ylim()
    words = [t.get_text() for at, t in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
             if bottom <= at <= top]  # fmt: skip
    assert 3 <= len(words) <= 8
    assert all(float(word) > 0 for word in words)  # no mathtext
    assert {t.get_text() for t in ax.get_yticklabels(minor=True)} <= {""}
