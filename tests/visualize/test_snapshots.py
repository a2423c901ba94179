"""DOT text of five models. Their pictures were checked by eye.

After an intended change, look at the pictures again, and rewrite the files with

    REWRITE_SNAPSHOTS=1 python -m pytest tests/visualize/test_snapshots.py
"""

import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import tinygrad_cnn as tc
import visualize
from visualize.look import DETAILS as SHOW, PHASES

FOLDER = Path(__file__).parent / "snapshots"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def drawn(nets):
    def draw(name, **how):
        tc.manual_seed(0)
        model, shape = nets.EXAMPLES[name]
        model, x = model(), tc.ones(shape)
        with tc.no_grad():
            for p in model.parameters():
                p.zero_()  # so that the loss is the same on every machine
        return visualize.draw(nets.loss_of(name, model(x)), model, names={"images": x}, **how)

    return draw


NAMES = ("lenet", "resnet", "unet", "recurrent", "mlp")  # of nets.EXAMPLES


@pytest.mark.parametrize("name", NAMES)
def test_dot_text(drawn, name):
    source = re.sub(r' tooltip="[^"]*"', "", drawn(name).source)  # tooltips have too many facts
    file = FOLDER / f"{name}.dot"
    if os.environ.get("REWRITE_SNAPSHOTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(source, encoding="utf-8")
    assert source == file.read_text(encoding="utf-8")


def texts_in_boxes(svg):
    """(text, its left and right end, the left and right end of its box) for each text in a box."""
    for group in svg.iter(SVG + "g"):
        if not (group.get("id") or "").startswith("node-"):
            continue
        shape = next(e for e in group.iter() if e.tag in (SVG + "path", SVG + "polygon"))
        xs = [float(x) for x in re.findall(r"(-?[\d.]+),", shape.get("d") or shape.get("points"))]
        for line in group.iter(SVG + "text"):
            width = 0.6 * float(line.get("font-size")) * len(line.text)
            x = float(line.get("x"))
            left = x - width / 2 if line.get("text-anchor") == "middle" else x
            yield line.text, left, left + width, min(xs), max(xs)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", NAMES)
def test_svg_has_all_nodes_and_edges_and_no_text_wider_than_its_box(drawn, name, phase):
    picture = drawn(name, phase=phase, show=SHOW)
    svg = ElementTree.fromstring(picture.render())
    ids = {element.get("id") for element in svg.iter()}
    graph = picture.view
    assert {f"node-{at}" for at in range(len(graph.nodes))} <= ids
    assert {f"edge-{e.target}-{e.slot}" for e in graph.edges if not e.kind} <= ids
    checked = 0
    for words, left, right, low, high in texts_in_boxes(svg):
        assert low <= left, words
        assert right <= high + 0.5, words
        checked += 1
    assert checked >= len(graph.nodes)
