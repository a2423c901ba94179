"""History: numbers noted during training, and their curves."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn

pytest.importorskip("matplotlib")


def test_history(trained):
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


def test_a_value_that_is_not_finite_is_left_out_of_the_mean():
    from visualize.history import smooth

    assert smooth(np.array([1.0, np.nan, 1.0])).tolist() == [1.0, 1.0, 1.0]
