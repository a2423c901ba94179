"""Slides and pages: the size of letters, and lines and titles that meet no box."""

import itertools
import re
import sys
from collections import OrderedDict
from xml.etree import ElementTree

import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
from visualize.boxes import CHARACTER, SHEETS

SVG = "{http://www.w3.org/2000/svg}"


class Chain(nn.Module):
    """A chain of ops without modules, a parameter that five of them use, and a long skip."""

    def __init__(self, ops):
        super().__init__()
        self.w = nn.Parameter(tc.ones(3))
        self.ops = ops

    def forward(self, x):
        first = x = x.exp()
        for k in range(self.ops):
            x = [tc.sin, tc.tanh, tc.cos][k % 3](x * self.w if k % 7 == 0 else x)
        return x + first


class Residual(nn.Module):
    """Blocks whose skip passes two boxes of their column."""

    def forward(self, x):
        for _ in range(3):
            x = x + x.sin().tanh()
        return x


class Skips(nn.Module):
    """A chain whose end joins every op of it."""

    def forward(self, x):
        found = [x.exp()]
        for k in range(20):
            found.append([tc.sin, tc.tanh, tc.cos][k % 3](found[-1]))
        return tc.cat(found)


@pytest.fixture(scope="module")
def drawn(nets):
    """drawn(name, **look) is a Picture."""

    def draw(name, **look):
        tc.manual_seed(0)
        model, shape = {
            **nets.EXAMPLES,
            "framed": (lambda: nn.Sequential(OrderedDict(encoder=Chain(20))), (3,)),
            "chain": (lambda: Chain(20), (3,)),
            "long": (lambda: Chain(300), (3,)),
            "residual": (Residual, (3,)),
            "skips": (Skips, (3,)),
        }[name]
        model, x = model(), tc.ones(shape, requires_grad=name in ("residual", "skips"))
        loss = nets.loss_of(name, model(x))
        if name in ("long", "framed"):
            look["fold"] = False
        return visualize.draw(loss, model, names={"x": x}, **look)

    return draw


NAMES = ("lenet", "resnet", "unet", "mlp", "chain", "long", "residual", "skips")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", ["slide", "page"])
def test_letters_are_large_enough_and_the_sheet_has_its_proportions(drawn, name, layout):
    svg = ElementTree.fromstring(drawn(name, layout=layout).render())
    _, _, width, height = map(float, svg.get("viewBox").split())
    # on a slide pixels of 1280 × 720, on paper points of A4
    to_width, to_height, least = {"slide": (1280, 720, 14), "page": (595, 842, 8)}[layout]
    scale = min(to_width / width, to_height / height)
    assert width / height == pytest.approx(to_width / to_height, rel=3e-3)
    sizes = [scale * float(text.get("font-size")) for text in svg.iter(SVG + "text")]
    assert len(sizes) > 5
    assert min(sizes) >= least - 0.01


@pytest.mark.parametrize("look", [{}, {"direction": "LR"}, {"phase": "backward"}, {"depth": 1}])
@pytest.mark.parametrize("name", NAMES)
def test_all_boxes_and_arrows_are_on_the_sheet_and_nothing_overlaps(drawn, name, look):
    picture = drawn(name, layout="slide", **look)
    svg = ElementTree.fromstring(picture.render())
    ids = {element.get("id") for element in svg.iter()}
    assert {f"node-{at}" for at in range(len(picture.view.nodes))} <= ids
    left, top, width, height = map(float, svg.get("viewBox").split())
    shift = re.search(
        r"translate\(([\d.-]+)[ ,]+([\d.-]+)\)", next(svg.iter(SVG + "g")).get("transform")
    )
    found = {}
    for group in svg.iter(SVG + "g"):
        if group.get("class") == "edge" or not (group.get("id") or "").startswith("node-"):
            continue
        path = next(e for e in group.iter() if e.tag in (SVG + "path", SVG + "polygon"))
        points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", path.get("d") or path.get("points"))
        xs, ys = zip(*((float(x), float(y)) for x, y in points), strict=True)
        x, y = float(shift[1]), float(shift[2])
        assert left <= min(xs) + x
        assert max(xs) + x <= left + width
        assert top <= min(ys) + y
        assert max(ys) + y <= top + height
        box = found[group.get("id")] = (min(xs), min(ys), max(xs), max(ys))
        for line in group.iter(SVG + "text"):  # no text is wider than its box
            ascii_only = line.text.isascii()
            wide = CHARACTER * float(line.get("font-size")) * len(line.text)
            assert not ascii_only or wide <= box[2] - box[0] + 1, line.text
    boxes = list(found.values())
    for k, (x0, y0, x1, y1) in enumerate(boxes):
        for a0, b0, a1, b1 in boxes[:k]:
            assert x1 <= a0 or a1 <= x0 or y1 <= b0 or b1 <= y0


@pytest.mark.parametrize("name", ["resnet", "framed"])
@pytest.mark.parametrize(
    "look", [{"layout": "slide"}, {"layout": "page"}, {"layout": "slide", "direction": "LR"}]
)
def test_arrows_miss_the_titles_of_frames(drawn, name, look):
    """The corners of every arrow, and the title of every frame, as `sheet.py` places them."""
    source = drawn(name, **look).source
    titles = []
    for line in re.findall(r"subgraph cluster_.*", source):
        label = re.sub(r"<[^>]*>", "", re.search(r"label=<(.*?)> lp=", line)[1])
        x, y = map(float, re.search(r'lp="([\d.-]+),([\d.-]+)"', line).groups())
        half = CHARACTER * SHEETS[look["layout"]].fact * len(label) / 2
        titles.append((x - half, y - 4, x + half, y + 4))
    assert titles
    if name == "framed":
        assert len(titles) > 1
        assert "encoder .." in source or look != {"layout": "slide"}  # in the next column
    wires = re.findall(r'-> n\d+ \[pos="e,\S+ (.*?)"', source)
    assert wires
    for wire in wires:
        points = [tuple(map(float, p.split(","))) for p in wire.split()][::3]
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            for a0, b0, a1, b1 in titles:
                assert (max(x0, x1) < a0 or a1 < min(x0, x1)
                        or max(y0, y1) < b0 or b1 < min(y0, y1))  # fmt: skip


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("name", NAMES)
def test_arrows_pass_beside_the_boxes(drawn, name, direction):
    source = drawn(name, layout="slide", direction=direction).source
    number = r"(-?[\d.]+)"
    boxes = {}
    for at, x, y, w, h in re.findall(
        rf'n(\d+) \[label=<.*> pos="{number},{number}" width={number} height={number}', source
    ):
        half = 36 * float(w), 36 * float(h)
        boxes[at] = (float(x) - half[0], float(y) - half[1], float(x) + half[0], float(y) + half[1])
    arrows = re.findall(r'n(\d+) -> n(\d+) \[pos="e,\S+ (.*?)"', source)
    assert len(boxes) > 5
    assert len(arrows) > 4
    for a, b, wire in arrows:
        points = [tuple(map(float, p.split(","))) for p in wire.split()][::3]
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            for at, (left, low, right, high) in boxes.items():
                assert at in (a, b) or (
                    max(x0, x1) <= left or right <= min(x0, x1)
                    or max(y0, y1) <= low or high <= min(y0, y1)
                ), (a, b, at)  # fmt: skip


def test_what_does_not_fit_is_said(drawn):
    closed = drawn("resnet", layout="slide")
    assert "Closed to depth=" in closed.source
    assert "layout='tall' opens all" in closed.source.replace("&#x27;", "'")
    assert any(node.kind == "module" for node in closed.view.nodes)
    shut = drawn("unet", layout="slide", depth=0)  # what is closed stays closed
    assert [n.name for n in shut.view.nodes if n.kind == "op"].count("conv2d") == 1
    cut = drawn("long", layout="slide")
    assert "The last boxes fit the sheet" in cut.source
    assert cut.view.nodes[0].kind == "cut"
    assert 15 < len(cut.view.nodes) < 150
    assert "Closed" not in drawn("lenet", layout="slide").source


def test_many_skips_are_named_at_their_ends(drawn):
    source = drawn("skips", layout="slide").source
    (times,) = re.findall(r"from sin x(\d+)", source)
    assert int(times) >= 4
    picture = drawn("skips", layout="slide")
    arrows = len(re.findall(r"n\d+ -> n\d+", source))
    assert 22 <= arrows < len(picture.view.edges) - 6
    assert "from " not in drawn("unet", layout="slide").source.replace("from a change", "")


def test_dense_skips_are_quick():
    """40 layers, each of which uses all before it: counted, since a clock says little."""
    nodes = [visualize.Node("op", "cat") for _ in range(40)]
    edges = [visualize.Edge(a, b, a, "x") for b in range(40) for a in range(b)]
    graph = visualize.Graph(tuple(nodes), tuple(edges))
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        source = visualize.Picture(graph, layout="slide", fold=False).source
    finally:
        sys.setprofile(None)
    assert "from cat x" in source
    assert calls < 200_000  # 83,000; a million where all are routed


def test_a_graph_without_nodes():
    for layout in ("tall", "page", "slide"):
        empty = visualize.Picture(visualize.Graph((), ()), layout=layout, title="Nothing")
        assert empty.render().startswith(b"<svg")


def test_a_slide_is_laid_out_the_same_way_every_time(drawn):
    assert drawn("unet", layout="slide").source == drawn("unet", layout="slide").source


def test_options(drawn):
    with pytest.raises(ValueError, match="layout: 'wide' is not among"):
        drawn("mlp", layout="wide")
    with pytest.raises(ValueError, match="phase='both' needs layout='tall'"):
        drawn("mlp", layout="slide", phase="both")
    assert (
        "keeps" not in drawn("lenet", layout="slide").source.replace("tooltip", "\n").split("\n")[0]
    )
    assert drawn("lenet", layout="slide", show="saved").show == ("saved",)


@pytest.mark.parametrize("layout", ["tall", "slide"])
def test_families_in_the_legend_are_those_present(drawn, layout):
    source = drawn("lenet", layout=layout).source
    for words in ("convolution, linear", "elementwise", "pooling", "view, reshape"):
        assert words in source
    assert "normalisation" not in source
    assert "normalisation" in drawn("resnet", layout=layout).source


def test_an_svg_has_a_title_and_a_description(picture):
    svg = ElementTree.fromstring(picture.render())
    assert svg.get("role") == "img"
    assert [child.tag for child in svg][:2] == [SVG + "title", SVG + "desc"]
    assert svg[0].text == "LeNet"
    assert svg[1].text.startswith("Inputs: images 2x1x8x8")
    assert "8 ops: conv2d 2x2x8x8, relu" in svg[1].text
    assert "Outputs: output scalar" in svg[1].text


def test_names_with_any_characters(tmp_path):
    x = tc.ones(2, requires_grad=True)
    for layout in ("tall", "slide"):
        picture = visualize.draw(x.exp(), names={"\ud800<&>\x00": x}, layout=layout)
        picture.title = "a lone \ud800 surrogate & <tags>"
        for suffix in ("svg", "html", "png", "dot"):
            assert picture.save(tmp_path / f"net.{suffix}").stat().st_size > 100
