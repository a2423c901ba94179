"""health: strips of gradients, spreads, dead units and updates; where NaN begins."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn, optim

SVG = "{http://www.w3.org/2000/svg}"


class Deep(nn.Module):
    """A layer with dead units, equal blocks, and one weight that a test may spoil."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.blocks = nn.Sequential(
            *[nn.Sequential(nn.Linear(4, 4), nn.Sigmoid()) for _ in range(6)]
        )
        self.last = nn.Linear(4, 2)
        with tc.no_grad():
            self.first.bias.copy_(tc.tensor([-100.0, -100.0, -100.0, 1.0]))

    def forward(self, x):
        return self.last(self.blocks(self.first(x).relu()))


@pytest.fixture
def deep():
    tc.manual_seed(0)
    return Deep(), tc.randn(8, 3)


def strips(picture, history=None):
    return {(s.op, s.module): s for s in picture.health(history).strips}


def test_the_numbers_are_those_of_numpy(deep):
    model, x = deep
    found = strips(visualize.trace(model, x))
    hidden = model.first(x).relu()
    first = found["linear", "first"]
    assert first.spreads == [pytest.approx(model.first(x).detach().numpy().std(), rel=1e-6)]
    relu = found["relu", ""]
    assert relu.dead == [0.75]
    assert relu.spreads == [pytest.approx(hidden.detach().numpy().std(), rel=1e-6)]
    assert first.dead == [None]
    y = model(x)
    (g,) = tc.autograd.grad(model.last(model.blocks(hidden)).sum(), [hidden])
    assert relu.gradients == [pytest.approx(float(np.linalg.norm(g.numpy())), rel=1e-5)]
    assert y.shape == (8, 2)


def test_a_folded_op_has_a_value_for_each_copy(deep):
    model, x = deep
    picture = visualize.trace(model, x)
    sigmoid = strips(picture)["sigmoid", "blocks.0.1"]
    whole = visualize.trace(model, x, fold=False)
    single = [s for s in whole.health().strips if s.op == "sigmoid"]
    assert len(sigmoid.gradients) == len(single) == 6
    np.testing.assert_allclose(sigmoid.gradients, [s.gradients[0] for s in single], rtol=1e-6)
    assert min(sigmoid.gradients) < 0.1 * max(sigmoid.gradients)  # a vanishing gradient
    svg = ElementTree.fromstring(picture.health().svg())
    curves = [p.get("points").split() for p in svg.iter(SVG + "polyline")]
    assert [len(points) for points in curves] == [6, 6, 6, 6]  # linear and sigmoid, two columns
    low, high = (float(curves[0][k].split(",")[1]) for k in (0, -1))
    assert low > high  # y grows downwards: gradients grow towards the loss


def test_nan_begins_in_one_op_and_is_red(deep):
    model, x = deep
    with tc.no_grad():
        model.blocks[3][0].weight[0, 0] = math.nan
    health = visualize.trace(model, x, fold=False).health()
    assert [(s.op, s.module, s.bad) for s in health.strips if s.bad] == [
        ("linear", "blocks.3.0", "values"), ("linear", "blocks.5.0", "gradients"),
    ]  # fmt: skip
    assert repr(health).endswith("not finite from linear on>")
    assert "NaN or infinite values begin here" in str(health)
    from visualize.health import BAD_LINE

    svg = ElementTree.fromstring(health.svg())
    red = [t.text for t in svg.iter(SVG + "text") if t.get("fill") == BAD_LINE]
    assert "NaN: values begin here" in red
    folded = visualize.trace(model, x).health()
    assert [s.module for s in folded.strips if s.bad == "values"] == ["blocks.0.0"]


def test_updates_by_hand():
    model = nn.Linear(2, 1, bias=False)
    with tc.no_grad():
        model.weight.copy_(tc.tensor([[3.0, 4.0]]))
    history, optimizer = visualize.History(), optim.SGD(model.parameters(), lr=0.5)
    x = tc.tensor([[0.6, 0.8]])
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(x).sum()
        loss.backward()
        history.step(loss=loss, model=model)
        optimizer.step()  # by 0.5 · (0.6, 0.8): its norm is 0.5
    assert [(k, pytest.approx(r)) for k, r in history.values["update ratio"]] == [
        (1, 0.5 / 5), (2, 0.5 / 4.5)
    ]  # fmt: skip
    assert history.ratios == {"weight": history.values["update ratio"]}
    (strip, _) = visualize.trace(model, x).health(history).strips
    assert strip.ratios == [pytest.approx(0.1), pytest.approx(1 / 9)]
    assert "0.111" in visualize.trace(model, x).health(history).svg()


def test_saved_and_shown(deep, tmp_path):
    health = visualize.trace(*deep).health()
    assert health.save(tmp_path / "health.svg").read_text(encoding="utf-8") == health._repr_svg_()
    with pytest.raises(ValueError, match=r"must end in \.svg"):
        health.save(tmp_path / "health.png")
    with pytest.raises(ValueError, match="health: nothing was measured"):
        visualize.draw(tc.ones(1, requires_grad=True).exp()).health()
    assert '"health":[[' in visualize.trace(*deep).html()
