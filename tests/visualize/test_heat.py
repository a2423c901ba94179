"""Boxes coloured by a measurement, with a legend."""

import re

import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn


@pytest.mark.parametrize("heat", ["time", "bytes", "grad"])
@pytest.mark.parametrize("phase", ["forward", "backward", "both"])
def test_heat_has_a_legend_in_units(nets, heat, phase):
    model = nets.LeNet()
    picture = visualize.trace(model, tc.randn(2, 1, 8, 8), heat=heat, phase=phase)
    title, unit = {
        "time": ("time of an op", r"\d (µs|ms)"),
        "bytes": ("kept for backward", r"\d (B|kB)"),
        "grad": ("norm of the gradient", r"0\.\d|\d"),
    }[heat]
    assert title in picture.source
    assert re.search(unit, picture.source)
    assert picture.render().startswith(b"<svg")


def test_frames_say_the_sum(nets):
    model = nets.UNet()
    picture = visualize.trace(model, tc.randn(2, 1, 4, 4), heat="bytes")
    inside = [n for _, n in picture.graph.ops() if (n.cluster or "").startswith("down1")]
    from visualize.words import bytes_text

    label = re.search(r"label=<<B>down1</B>(.*)> tooltip", picture.source).group(1)
    assert bytes_text(sum(n.kept() for n in inside)) in label


def test_heat_without_measures_is_an_error():
    y = tc.ones(1, requires_grad=True).exp()
    with pytest.raises(ValueError, match="nothing was measured; visualize.trace"):
        visualize.draw(y, heat="time").render()
    y.backward()
    with pytest.raises(ValueError, match="freed the saved arrays"):
        visualize.draw(y, heat="bytes").render()


def test_the_hottest_op_has_the_hottest_colour():
    from visualize.heat import colours
    from visualize.palette import HEAT

    x = tc.ones(1000, requires_grad=True)
    graph = visualize.record(x.exp()[:10].tanh().sum())
    found, key = colours(graph, "bytes")
    by_name = {graph.nodes[at].name: pair[0] for at, pair in found.items()}
    assert by_name["exp"] == HEAT[-1]
    assert by_name["sum"] == HEAT[0]
    assert by_name["tanh"] == HEAT[0]  # 40 of 4,000 bytes
    assert [words for _, words in key.steps][0::5] == ["0 B", "4 kB"]


def test_a_fold_does_not_hide_a_vanishing_gradient():
    tc.manual_seed(0)
    layers = [layer for _ in range(12) for layer in (nn.Linear(4, 4), nn.Sigmoid())]
    model = nn.Sequential(*layers)
    picture = visualize.trace(model, tc.ones(1, 4), heat="grad")
    norms = [n.measured.grad_norm for _, n in picture.graph.ops() if n.name == "sigmoid"]
    box = next(n for n in picture.view.nodes if n.name == "sigmoid")
    assert box.measured.grad_range == (min(norms), max(norms))
    assert min(norms) < 1e-6 * max(norms)
    assert f"{min(norms):.3g} … {max(norms):.3g}" in picture.source
    closed = visualize.trace(nn.Sequential(model), tc.ones(1, 4), heat="grad", depth=0)
    module = next(n for n in closed.view.nodes if n.kind == "module")
    assert module.measured.grad_range[0] <= min(norms)
