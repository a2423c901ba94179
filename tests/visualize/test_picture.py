"""Pictures: DOT text, SVG and PNG, options, and malicious names."""

import gc
import re
import sys
import threading
from xml.etree import ElementTree

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn
from visualize import escape, look, palette, render, words

SVG = "{http://www.w3.org/2000/svg}"

XLINK = "{http://www.w3.org/1999/xlink}"

NASTY = [
    "</text><script>alert(1)</script>",
    '"]; n9 [label="x"]; "',
    ">]; subgraph { a -> b } [label=<",
    "<IMG SRC='/etc/passwd'/>",
    "a\\nb\\N\\G\\",
    "tab\tnew\nline\rend",
    "null\x00bell\x07esc\x1b\ud800",
    "]]>&amp;<!-- -->&#0;",
    "名前 ü × 😀",
    "",
    " ",
    "x" * 500,
]


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(SVG + "text")]


def test_every_node_and_edge_is_in_the_svg(picture):
    svg = ElementTree.fromstring(picture.render("svg"))
    ids = {element.get("id") for element in svg.iter()}
    graph = picture.view
    assert {f"node-{at}" for at in range(len(graph.nodes))} <= ids
    assert {f"edge-{edge.target}-{edge.slot}" for edge in graph.edges} <= ids
    rows = [row[0] for node in graph.nodes for row in node.rows]
    named = [n.name.rpartition(".")[2] for n in picture.graph.nodes if n.kind == "parameter"]
    assert rows == named  # parameters are in the box of their op
    assert len(graph.nodes) + len(rows) == len(picture.graph.nodes)


def test_names_attributes_and_shapes_can_be_read(picture):
    words = " ".join(texts(picture.render("svg")))
    for wanted in (
        "images", "labels", "conv1", "weight", "bias", "max_pool2d", "cross_entropy",
        "padding 1", "stride 2", "2x2, stride 2", "2x1x3x3", "2x2x4x4", "keeps x 32 B",
    ):  # fmt: skip
        assert wanted in words


def test_svg_is_for_light_and_dark_and_fits_its_page(picture):
    svg = picture._repr_svg_()
    assert "prefers-color-scheme:dark" in svg
    assert "max-width:100%" in svg
    assert "Courier New" in svg
    colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', svg))
    assert colours <= set(palette.DARK)  # every colour has one for dark pages


def test_every_colour_has_one_for_the_dark():
    tables = (palette.FAMILIES, palette.KIND_COLOURS, palette.VERDICTS, palette.STATUS)
    pairs = [palette.OTHER, palette.HEAT, *(pair for table in tables for pair in table.values())]
    assert {colour for pair in pairs for colour in pair} <= set(palette.DARK)


@pytest.mark.parametrize("direction", look.DIRECTIONS)
def test_directions(picture, direction):
    source = visualize.Picture(picture.graph, direction=direction).source
    assert f"rankdir={direction}" in source
    ElementTree.fromstring(render.render(source, "svg"))


def test_show_chooses(picture):
    bare = texts(visualize.Picture(picture.graph, show=()).render())
    assert "weight" not in bare
    assert not any("stride" in words for words in bare)
    full = texts(visualize.Picture(picture.graph, show=look.DETAILS).render())
    assert "keeps x, w: 300 B" not in full
    assert any(words.startswith("keeps") for words in full)
    assert any("float32" in words for words in full)


def test_words_it_does_not_know():
    y = tc.ones(1, requires_grad=True) * 2
    with pytest.raises(ValueError, match="direction: 'up' is not among"):
        visualize.draw(y, direction="up")
    with pytest.raises(ValueError, match=r"show: 'colour' is not among"):
        visualize.draw(y, show=["shapes", "colour"])


def test_save(picture, tmp_path):
    starts = {"svg": b"<svg", "png": b"\x89PNG", "dot": b"digraph {"}
    for kind, start in starts.items():
        path = picture.save(tmp_path / f"net.{kind}")
        assert path.read_bytes().startswith(start)
    assert picture.save(str(tmp_path / "NET.SVG")).read_bytes() == picture.render("svg")
    with pytest.raises(ValueError, match=r"must end in one of \.svg, \.png, \.pdf, \.dot"):
        picture.save(tmp_path / "net.gif")
    with pytest.raises(ValueError, match="must end in"):
        picture.save(tmp_path / "net")


def test_pictures_are_the_same_each_time(picture):
    assert picture.render("svg") == picture.render("svg")


@pytest.mark.parametrize("name", NASTY)
def test_a_name_stays_a_name(name, tmp_path):
    w = tc.ones(2, requires_grad=True)
    harmless = visualize.draw(w.exp(), names={"w": w})
    picture = visualize.draw(w.exp(), names={name: w})
    svg = ElementTree.fromstring(picture.render("svg"))
    plain = ElementTree.fromstring(harmless.render("svg"))
    assert {e.tag for e in svg.iter()} == {e.tag for e in plain.iter()}
    for element in svg.iter():
        for key, value in element.attrib.items():
            assert key != XLINK + "href", value
    places = [e.get("id") for e in svg.iter(SVG + "g") if "node" in (e.get("class") or "")]
    assert places == ["node-0", "node-1", "node-2"]
    words = re.sub("[^a-z0-9]", "", name)[:20]
    assert words in re.sub("[^a-z0-9]", "", "".join(texts(picture.render("svg"))))
    assert picture.save(tmp_path / "x.png").stat().st_size > 1000


def test_a_module_with_a_nasty_name():
    model = nn.Sequential()
    model.add_module('a"]<b>&', nn.Linear(2, 2))
    svg = visualize.draw(model(tc.ones(1, 2)), model).render("svg")
    assert 'a"]<b>&' in texts(svg)


def test_long_attributes_are_cut():
    w = tc.ones(40, requires_grad=True)
    picture = visualize.draw(w.reshape(*[1] * 60, 40).permute(*range(61)))
    words = next(words for words in texts(picture.render()) if words.startswith("dims 0, 1, 2"))
    assert words.endswith("…")
    assert len(words) == 2 * escape.MAX_LINE_CHARACTERS


def test_an_attribute_that_is_an_object_is_named_by_its_kind():
    x = tc.ones(3, requires_grad=True)
    pictures = [visualize.draw(F.dropout(x.exp(), 0.4)) for _ in range(2)]
    assert words.value_text(object()) == "object"
    assert "0x" not in pictures[0].source
    assert pictures[0].source == pictures[1].source


def test_pictures_on_one_page_do_not_colour_each_other(picture):
    style = re.search("<style>@media[^{]*{(.*)}</style>", picture._repr_svg_()).group(1)
    assert all(rule.startswith(".recorded-graph ") for rule in style.split("}") if rule)


def test_text_fits_its_box(picture):
    """A line in 11 or 9 points, 0.6 em a letter, is no wider than the box around it."""
    svg = ElementTree.fromstring(picture.render("svg"))
    checked = 0
    for group in svg.iter(SVG + "g"):
        if not (group.get("id") or "").startswith("node-"):
            continue
        shape = next(e for e in group.iter() if e.tag in (SVG + "path", SVG + "polygon"))
        xs = [float(x) for x in re.findall(r"(-?[\d.]+),", shape.get("d") or shape.get("points"))]
        for line in group.iter(SVG + "text"):
            width = 0.6 * float(line.get("font-size")) * len(line.text)
            x = float(line.get("x"))
            left = x - width / 2 if line.get("text-anchor") == "middle" else x
            assert min(xs) <= left
            assert left + width <= max(xs) + 0.5
            checked += 1
    assert checked >= 20


def test_a_large_graph_is_cut_and_says_so():
    y = tc.ones(1, requires_grad=True)
    for _ in range(3000):
        y = y.exp()
    picture = visualize.draw(y, limit=50, fold=False)
    assert len(picture.graph.nodes) == 3002
    assert "2952 more nodes" in texts(picture.render("svg"))


def test_a_notebook_shows_it(picture):
    bundle = picture._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert (
        bundle["text/plain"]
        == repr(picture)
        == ("<Picture of constant: 2, parameter: 5, op: 8, output: 1>")
    )


def test_deep_chain_on_a_small_stack():
    def build():
        y = tc.ones(1, requires_grad=True)
        for _ in range(100_000):
            y = y.exp()
        results.append(visualize.draw(y, limit=10, fold=False))

    results = []
    before = threading.stack_size(256 * 1024)  # a frame for each node would need 40 times as much
    try:
        thread = threading.Thread(target=build)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    (picture,) = results
    assert len(picture.graph.nodes) == 100_002
    assert len(picture.graph.edges) == 100_001
    assert "99992 more nodes" in picture.source
    assert sys.getrecursionlimit() < 100_000


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
