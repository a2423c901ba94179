"""The HTML page in headless Chromium: its controls, and its safety.

Skipped if playwright or Chromium is not installed (`pip install -e '.[browser]'`, and
`apt install chromium`).
"""

import json
import re
import shutil

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
from visualize.look import PHASES

NASTY = [
    "</script><script>document.title='broken out'</script>",
    "<img src=x onerror=\"document.title='broken out'\">",
    "\"'`;document.title='broken out'//",
    "${document.title='broken out'}",
    "javascript:alert(1)",
    "]]><!-- --><b>",
    "\u2028\u2029\x00\x1b",
    "名前 ü × 😀",
    "x" * 400,
]


@pytest.fixture(scope="module")
def resnet(nets):
    tc.manual_seed(0)
    model, x = nets.ResNet(), tc.randn(2, 3, 8, 8)
    visualize.trace(model, x)  # the first call of an op may compile it for seconds
    return visualize.trace(model, x)


def wait(page, selector, words):
    """Wait until an element has this text. (The page's policy forbids wait_for_function.)"""
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_have_text(words, timeout=10_000)


def keys(page):
    return page.eval_on_selector_all(".box", "boxes => boxes.map(b => b.dataset.key)")


def test_search_finds(visit, resnet):
    page = visit(resnet)
    page.keyboard.press("/")
    page.keyboard.type("layer3.1.bn2")
    names = [n.name for n in resnet.graph.nodes if n.cluster == "layer3.1.bn2" and n.kind == "op"]
    assert page.text_content("#found") == str(len(names)) == "1"
    assert page.locator(".box.match").count() == 1  # the closed module around it
    page.keyboard.press("Enter")
    assert page.text_content("#found") == "1/1"
    chosen = page.locator(".box.chosen")
    assert chosen.get_attribute("data-name") == "batch_norm"
    box, stage = chosen.bounding_box(), page.locator("#graph").bounding_box()
    assert stage["x"] <= box["x"] <= stage["x"] + stage["width"]
    assert stage["y"] <= box["y"] <= stage["y"] + stage["height"]
    assert page.text_content("#panel h2") == "batch_norm"
    page.fill("#search", "no such thing")
    assert page.text_content("#found") == "0"
    page.press("#search", "Escape")
    assert page.locator(".box.match").count() == 0


def test_a_click_opens_and_closes_a_module(visit, resnet):
    page = visit(resnet)
    before = keys(page)
    assert "mlayer2.0" in before
    page.click('.box[data-key="mlayer2.0"]')
    after = keys(page)
    assert "mlayer2.0" not in after
    assert "mlayer2.0.downsample" in after
    assert len(after) == len(before) - 1 + 7 + 1  # its ops, and one module more
    assert page.locator('.frame[data-path="layer2.0"]').count() == 1
    page.click('.frame[data-path="layer2.0"]')
    assert keys(page) == before


def test_the_keyboard_does_it_too(visit, resnet):
    page = visit(resnet)
    page.focus('.box[data-key="mlayer2.0"]')
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.path") == "layer2.0"
    page.keyboard.press("Enter")
    assert "mlayer2.0" in keys(page)
    page.keyboard.press("e")
    ops = [n for _, n in resnet.folded.ops()]
    assert page.locator(".box.op").count() == len(ops)
    page.keyboard.press("c")
    assert {"mlayer1", "mlayer4"} <= set(keys(page))
    page.focus(".box.op")
    page.keyboard.press("Enter")
    assert page.locator(".box.chosen").count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".box.chosen").count() == 0
    assert page.text_content("#panel h2") == "ResNet"
    for key in ("t", "+", "-", "0", "d", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_facts_of_a_node(visit, nets):
    model = nets.LeNet()
    picture = visualize.trace(model, tc.randn(2, 1, 8, 8))
    page = visit(picture)
    page.click('.box[data-name="conv2d"] >> nth=1')
    text = page.inner_text("#panel")
    for words in ("conv2d", "conv2", "2x3x1x1", "float32", "stride", "weight", "3x2x3x3",
                  "forward", "backward", "gradient norm", "y = x ⋆ w + b", "nets.py:",
                  "return self.fc(F.relu(self.conv2(x)).flatten(1))",
                  "Incoming cotangent"):  # fmt: skip
        assert words.lower() in text.lower(), words


def test_heat_switches(visit, resnet):
    page = visit(resnet)
    fills = "boxes => boxes.map(b => getComputedStyle(b).fill)"
    assert "convolution, linear" in page.inner_text("#legend")
    seen = [page.eval_on_selector_all(".box > rect", fills)]
    for heat, title, unit in (("time", "time of an op", r"\d (µs|ms)"),
                              ("bytes", "kept for backward", r"\d k?B"),
                              ("grad", "norm of the gradient", r"\d")):  # fmt: skip
        page.select_option("#heat", heat)
        legend = page.inner_text("#legend")
        assert title in legend
        assert len(re.findall(unit, legend)) >= 2
        seen.append(page.eval_on_selector_all(".box > rect", fills))
        assert seen[-1] != seen[-2]
    page.select_option("#heat", "")
    assert page.eval_on_selector_all(".box > rect", fills) == seen[0]


def test_phases(visit, resnet):
    page = visit(resnet)
    page.keyboard.press("e")
    page.select_option("#phase", "backward")
    ops = len(list(resnet.folded.ops()))
    assert page.locator(".box.op").count() == ops
    assert page.locator(".box", has_text="vjp").count() == ops
    assert page.locator(".edge.back").count() > ops
    page.select_option("#phase", "both")
    assert page.locator(".box", has_text="vjp").count() == ops
    assert page.locator(".edge:not(.back)").count() > page.locator(".edge.back").count() > ops


def test_steps_go_to_the_end_with_the_right_gradients(visit):
    x = tc.tensor([[1.0], [2.0]], requires_grad=True)
    w = tc.tensor([[1.0, -2.0], [0.5, 4.0]], requires_grad=True)
    found = visualize.steps(((w @ x).tanh() * 3).sum(), names={"x": x, "w": w})
    page = visit(found.picture())
    assert page.text_content("#step") == "4 steps backward"
    names = []
    for _ in found:
        page.click("#next")
        names.append(page.text_content("#panel h2"))
        assert page.locator(".box.now").get_attribute("data-name") == names[-1]
    assert names == ["sum", "mul", "tanh", "matmul"]
    rows = page.eval_on_selector_all(
        "#filled tr", "rows => rows.map(r => [r.cells[0].textContent, r.cells[1].textContent])"
    )
    for (name, text), leaf in zip(rows, (w, x), strict=True):
        assert name == ("w" if leaf is w else "x")
        numbers = [float(v) for v in re.search(r"\[(.*)\]", text)[1].split(",")]
        np.testing.assert_allclose(numbers, leaf.grad.numpy().ravel(), rtol=1e-3)
    page.click("#next")
    assert page.text_content("#step") == "4 of 4: matmul"
    page.click("#back")
    assert page.text_content("#step") == "3 of 4: tanh"
    page.click("#first")
    assert page.locator(".box.now").count() == 0


def test_steps_play_and_pause(visit, nets):
    page = visit(visualize.trace(nets.mlp(), tc.randn(2, 4)))
    page.click("#play")
    wait(page, "#step", "2 of 4: linear")
    page.click("#play")
    at = page.input_value("#slider")
    page.wait_for_timeout(1100)
    assert page.input_value("#slider") == at
    page.click("#play")
    wait(page, "#step", "4 of 4: linear")
    assert page.get_attribute("#play", "aria-label") == "Play"
    assert page.locator("#panel img").count() + page.locator("#panel .numbers").count() > 0


def test_images_of_cotangents_load(visit):
    x = tc.randn(4, 9, requires_grad=True)
    page = visit(visualize.steps((x * x).sum(), names={"x": x}).picture())
    page.click("#next")
    page.click("#next")
    images = page.locator("#panel img")
    assert images.count() >= 2
    assert page.eval_on_selector_all("#panel img", "i => i.map(x => x.naturalWidth)")[0] == 9


def test_texts_fit_and_boxes_do_not_overlap(visit, resnet, nets):
    unet = visualize.trace(nets.UNet(), tc.randn(2, 1, 8, 8), heat="time")
    for picture in (resnet, unet):
        page = visit(picture)
        for phase in PHASES:
            for direction in range(2):
                page.select_option("#phase", phase)
                page.evaluate("document.activeElement.blur()")
                page.keyboard.press("e")
                page.keyboard.press("t")
                outside, overlaps = page.evaluate(
                    """() => {
                    const boxes = [...document.querySelectorAll('.box')];
                    const rects = boxes.map(b => b.querySelector('rect').getBBox());
                    const outside = boxes.flatMap((b, k) => [...b.querySelectorAll('text')].filter(t => {
                      const r = t.getBBox(), s = rects[k];
                      return r.x < s.x || r.x + r.width > s.x + s.width + 0.5 || r.y + r.height > s.y + s.height + 1;
                    }).map(t => t.textContent));
                    const overlaps = [];
                    rects.forEach((a, i) => rects.forEach((b, j) => {
                      if (i < j && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height
                          && b.y < a.y + a.height) overlaps.push([boxes[i].dataset.key, boxes[j].dataset.key]);
                    }));
                    return [outside, overlaps];
                }"""
                )
                assert outside == [], (phase, direction)
                assert overlaps == [], (phase, direction)


def test_light_and_dark(visit, nets):
    picture = visualize.draw(nets.mlp()(tc.ones(1, 4)).sum())
    papers = []
    for scheme in ("light", "dark"):
        page = visit(picture, scheme)
        papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        for selector in (".box text.name", "#panel h2", ".box.op text"):
            style = f"getComputedStyle(document.querySelector('{selector}'))"
            ink = page.evaluate(f"{style}.fill !== 'rgb(0, 0, 0)' ? {style}.fill : {style}.color")
            assert contrast(ink, papers[-1]) > 4.5
        page.click("#theme")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != papers[-1]
    assert papers == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]


def contrast(a, b):
    """The contrast of two colours (WCAG 2.2)."""

    def luminance(text):
        rgb = np.array([float(v) for v in re.findall(r"[\d.]+", text)[:3]]) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", NASTY)
def test_names_stay_names(visit, name):
    model = nn.Sequential()
    model.add_module(name.replace(".", "_"), nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    x = tc.ones(1, 2, requires_grad=True)
    y = model(x).sum()
    page = visit(visualize.draw(y, model, names={name: x, name + "!": y}))
    assert page.title() == "Sequential"
    assert page.locator("script").count() == 2
    assert page.locator("img, iframe, a, b").count() == 0
    words = re.sub(r"[\s\x00-\x1f\u2028\u2029]", "", name)
    shown = re.sub(r"[\s\x00-\x1f\u2028\u2029]", "", page.text_content("#sheet"))
    assert words in shown
    page.keyboard.press("c")
    page.keyboard.press("e")
    page.fill("#search", name)
    page.press("#search", "Enter")
    assert page.title() == "Sequential"


def test_a_large_graph_says_what_is_left_out(visit):
    y = tc.ones(1, requires_grad=True)
    for k in range(300):
        y = y.exp() if (k * k) % 7 < 3 else y.tanh()
    picture = visualize.draw(y, limit=40, fold=False)
    page = visit(picture)
    assert page.inner_text("#notice") == "262 nodes are not shown"
    assert page.locator(".box").count() == 41


def test_narrow_pages(visit, resnet):
    page = visit(resnet, width=420)
    assert page.locator("#panel").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_film(visit, tmp_path):
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    film = visualize.Film(model)
    for loss in (1.0, 0.5, 0.25):
        film.frame(loss=loss)
    page = visit(film.save(tmp_path / "film.html", fps=30))
    assert page.locator("line").count() == 9
    assert page.inner_text("#note") == "step 1, loss 1"
    page.click("#play")
    wait(page, "#note", "step 3, loss 0.25")


# --- Without a browser --------------------------------------------------------------------------


def data_of(page):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1]
    )


@pytest.mark.parametrize("name", NASTY)
def test_the_data_holds_no_markup(name):
    x = tc.ones(1, 2, requires_grad=True)
    page = visualize.draw(x.exp(), names={name: x}).html()
    assert page.count("<script") == 2
    assert data_of(page)["nodes"][0]["name"] == name


def test_the_page_is_one_file_that_loads_nothing(nets):
    page = visualize.trace(nets.LeNet(), tc.randn(2, 1, 8, 8)).html()
    assert "default-src 'none'" in page
    without = page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "http" not in without
    assert not re.search(r"<link|@import|\bsrc=|innerHTML|eval\(|url\(", without)


def test_the_page_needs_no_renderer(monkeypatch, nets):
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    assert "<svg" in visualize.draw(nets.mlp()(tc.ones(1, 4)).sum()).html()


def test_numbers_that_json_has_not():
    w = tc.tensor([0.0], requires_grad=True)
    page = visualize.steps((w.log() * 2).sum(), names={"w": w}).picture().html()
    data = data_of(page)
    assert data["steps"][-1]["leaves"][0][1]["norm"] == "Infinity"
    assert data["nodes"][-1]["value"] == "-Infinity"


def test_the_legend_has_the_families_present(visit, nets):
    page = visit(visualize.trace(nets.LeNet(), tc.randn(2, 1, 8, 8)))
    words = page.inner_text("#legend").splitlines()
    assert set(words) == {
        "convolution, linear", "elementwise", "pooling", "view, reshape", "reduction, loss"
    }  # fmt: skip
    dashes = page.eval_on_selector_all(
        ".box.family-shape > rect", "rects => rects.map(r => getComputedStyle(r).strokeDasharray)"
    )
    assert dashes
    assert "none" not in dashes


def test_show_all_shows_all(visit):
    y = tc.ones(2, requires_grad=True)
    for k in range(300):
        y = [tc.sin, tc.tanh, tc.cos][k * k % 7 % 3](y)
    page = visit(visualize.draw(y.sum(), fold=False))
    for press in (lambda: page.click("#all"), lambda: page.keyboard.press("9")):
        page.keyboard.press("0")
        press()
        stage = page.locator("#graph").bounding_box()
        whole = page.locator("#sheet").bounding_box()
        assert stage["y"] <= whole["y"]
        assert whole["y"] + whole["height"] <= stage["y"] + stage["height"]


def test_the_view_is_saved_as_svg_and_png(visit, resnet, tmp_path):
    from xml.etree import ElementTree

    page = visit(resnet, scheme="dark")
    page.select_option("#heat", "time")
    boxes = page.locator(".box").count()
    with page.expect_download() as found:
        page.click("#save-svg")
    assert found.value.suggested_filename == "ResNet.svg"
    found.value.save_as(tmp_path / "view.svg")
    svg = ElementTree.parse(tmp_path / "view.svg").getroot()
    names = [g.get("data-name") for g in svg.iter() if (g.get("class") or "").startswith("box")]
    assert len(names) == boxes
    fills = {r.get("fill") for r in svg.iter("{http://www.w3.org/2000/svg}rect")}
    assert "rgb(13, 17, 23)" in fills  # the dark page
    assert "var(" not in (tmp_path / "view.svg").read_text(encoding="utf-8")
    with page.expect_download() as found:
        page.click("#save-png")
    found.value.save_as(tmp_path / "view.png")
    from PIL import Image

    with Image.open(tmp_path / "view.png") as image:
        stage = page.locator("#graph").bounding_box()
        assert image.width == int(2 * stage["width"])
        assert len(image.convert("RGB").getcolors(1 << 20)) > 20


@pytest.mark.parametrize("heat", ["", "time"])
def test_arrows_miss_the_titles_of_frames(visit, nets, heat):
    """Each arrow is followed in steps of two pixels; titles have their box on the screen."""
    page = visit(visualize.trace(nets.UNet(), tc.randn(2, 1, 4, 4)))
    page.keyboard.press("e")
    page.select_option("#heat", heat)
    meets = page.evaluate(
        """() => {
          const titles = [...document.querySelectorAll('.frame > text')].map(t => t.getBBox());
          const found = [];
          for (const path of document.querySelectorAll('path.edge'))
            for (let at = 0; at < path.getTotalLength(); at += 2) {
              const p = path.getPointAtLength(at);
              for (const t of titles)
                if (p.x > t.x && p.x < t.x + t.width && p.y > t.y && p.y < t.y + t.height)
                  found.push([p.x, p.y]);
            }
          return [titles.length, found];
        }"""
    )
    assert meets[0] >= 5
    assert meets[1] == []


def test_small_arrays_do_not_wrap(visit):
    x = tc.ones(2, 10, requires_grad=True)
    page = visit(visualize.steps((x * 2).sum(), names={"x": x}).picture())
    page.click("#next")
    page.click("#next")
    rows = page.eval_on_selector_all(
        ".numbers", "ts => ts.map(t => [...t.rows].map(r => r.cells.length))"
    )
    assert rows
    assert all(row == [10, 10] for row in rows)


def test_a_printed_page_is_the_whole_graph(visit, resnet):
    page = visit(resnet, scheme="dark")
    page.keyboard.press("e")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("aside").is_hidden()
    assert page.locator("header").is_hidden()
    stage = page.locator("#graph").bounding_box()
    whole = page.locator("#sheet").bounding_box()
    assert stage["y"] <= whole["y"]
    assert whole["y"] + whole["height"] <= stage["y"] + stage["height"]
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_the_page_has_a_strip_for_each_op(visit, nets):
    tc.manual_seed(0)
    model = nets.Recurrent(8)
    page = visit(visualize.trace(model, tc.full((1, 3), float("nan"))))
    rows = page.locator("#health tr.link")
    assert rows.count() == len(visualize.trace(model, tc.ones(1, 3)).health())
    assert page.locator("#health tr.bad .quiet").first.text_content() == "NaN: values begin here"
    page = visit(visualize.trace(model, tc.ones(1, 3)))
    assert page.locator("#health tr.bad").count() == 0
    assert page.locator("#health polyline").count() >= 2  # eight calls, folded
    page.locator("#health tr.link").nth(1).click()
    assert page.text_content("#panel h2") == "tanh"
