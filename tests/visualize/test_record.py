"""The walk against a record kept by hand while a random graph is built."""

import gc
import os
import subprocess
import sys
import weakref
from collections import Counter

import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
from visualize import render

OPS = {
    "add": (2, lambda a, b: a + b),
    "mul": (2, lambda a, b: a * b),
    "sub": (2, lambda a, b: a - b),
    "tanh": (1, lambda a: a.tanh()),
    "reshape": (1, lambda a: a.reshape(2, 1)),
    "cat": (3, lambda *xs: tc.cat(xs, dim=1)),
    "sum": (1, lambda a: a.sum(dim=1, keepdim=True)),
}


@st.composite
def programs(draw):
    """Steps of a program on tensors of shape (2, n): the op, and places of its operands."""
    steps = []
    for k in range(draw(st.integers(1, 12))):
        name = draw(st.sampled_from(sorted(OPS)))
        places = st.integers(0, k + 2)
        steps.append((name, [draw(places) for _ in range(OPS[name][0])]))
    return steps


@given(programs())
def test_each_input_of_each_op_is_one_edge_in_order(steps):
    """Two leaves and a constant, and what is made of them."""
    values = [tc.ones(2, 1, requires_grad=True), tc.ones(2, 1, requires_grad=True), tc.ones(2, 1)]
    made = {id(values[0]): ("leaf", "u"), id(values[1]): ("leaf", "v"), id(values[2]): "c"}
    inputs = {}
    for name, places in steps:
        operands = [values[p] for p in places]
        if name == "reshape":
            operands = [x if x.shape == (2, 1) else x[:, :1] for x in operands]
        elif name in ("add", "mul", "sub") and operands[0].shape != operands[1].shape:
            operands = [x.sum(dim=1, keepdim=True) for x in operands]
        y = OPS[name][1](*operands)
        inputs[id(y)] = (name, operands)
        made[id(y)] = name
        values.append(y)
    end = next((y for y in reversed(values) if y.requires_grad), None)
    graph = visualize.record(end.sum(), names=dict(zip("uvc", values, strict=False)))
    places = {id(node): at for at, node in enumerate(graph.nodes)}
    assert len(places) == len(graph.nodes)
    expected, seen, stack = Counter(), set(), [end]
    while stack:  # what leads to the end, by the record
        y = stack.pop()
        if id(y) in seen or id(y) not in inputs or not y.requires_grad:
            continue
        seen.add(id(y))
        name, operands = inputs[id(y)]
        expected[name, len(operands)] += 1
        stack += operands
    found = Counter((n.name, len(graph.inputs(at))) for at, n in graph.ops())
    for key, count in expected.items():
        assert found[key] >= count  # slices and sums above are ops too
    for at, node in graph.ops():
        edges = graph.inputs(at)
        assert [e.slot for e in edges] == list(range(len(edges)))
        assert all(e.source < at for e in edges)
        assert node.shape is not None
    assert [(e.target, e.slot) for e in graph.edges] == sorted(
        (e.target, e.slot) for e in graph.edges
    )
    assert len([n for n in graph.nodes if n.name == "u"]) <= 1


def test_nothing_of_the_graph_is_kept_alive():
    w = tc.ones(100, requires_grad=True)
    y = w.exp()
    alive = weakref.ref(y)
    picture = visualize.draw(y.sum())
    picture.render("svg")
    del y
    gc.collect()
    assert alive() is None
    assert picture.graph.nodes


def test_the_garbage_collector_is_on_again():
    y = tc.ones(1, requires_grad=True).exp()
    visualize.draw(y).render()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="no graph"):
        visualize.draw(tc.ones(1))
    assert gc.isenabled()
    gc.disable()
    try:
        visualize.draw(y).render()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_dropped_inputs_of_a_list_of_modules():
    model = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    x = tc.ones(1, 2)
    graph = visualize.record(model[1](model[0](x)).sum(), model)
    assert [c.path for c in graph.clusters] == ["0", "1"]


def test_the_layout_needs_no_fonts_of_the_system(tmp_path):
    """In a container without fonts text takes the same room."""
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    source = visualize.draw(model(tc.ones(2, 4)).sum(), model).source
    binary, is_system = render.find_dot()
    if is_system:
        pytest.skip("a system dot measures text with the system's fonts; boxes then fit these")
    (tmp_path / "fonts.conf").write_text('<?xml version="1.0"?><fontconfig></fontconfig>')
    environments = [{"PATH": os.environ["PATH"], **extra} for extra in (
        {"HOME": os.environ.get("HOME", "/")},
        {"HOME": str(tmp_path), "FONTCONFIG_FILE": str(tmp_path / "fonts.conf")},
    )]  # fmt: skip
    drawn = [
        subprocess.run([binary, "-Tsvg"], input=source.encode(), env=env, check=True,
                       capture_output=True).stdout
        for env in environments
    ]  # fmt: skip
    assert drawn[0] == drawn[1] != b""


def test_importing_it_loads_no_matplotlib_and_no_graphviz():
    code = "import sys, visualize; assert not {'matplotlib', 'graphviz'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
