"""The page of a calculation by hand in headless Chromium: its steps, its windows, its hidden numbers.

Skipped if playwright or Chromium is not installed (see tests/visualize/conftest.py).
"""

import re

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize

FORMULA = ".equation"


def text(page, selector=FORMULA):
    return re.sub(r"\s+", " ", page.inner_text(selector)).strip()


def cell(box, side, index):
    return f'.cell[data-box="{box}"][data-side="{side}"][data-cell="{index}"]'


def marked(page, name):
    """The cells of a class: (box, side, cell)."""
    return sorted(
        tuple(found)
        for found in page.eval_on_selector_all(
            f".cell.{name}", "c => c.map(x => [+x.dataset.box, +x.dataset.side, +x.dataset.cell])"
        )
    )


@pytest.fixture
def lecture():
    a, b = tc.tensor(2.0, requires_grad=True), tc.tensor(-3.0, requires_grad=True)
    d = a * b
    return visualize.by_hand(d * -2.0, names={"a": a, "b": b, "d": d})


def test_steps_with_keys_and_buttons(visit, lecture):
    page = visit(lecture)
    assert text(page) == "∂L/∂L = 1.0"
    page.keyboard.press("ArrowRight")
    assert text(page) == "∂L/∂d = −2 · ∂L/∂L = −2 · 1 = −2"
    page.click("#next")
    assert text(page) == "∂L/∂a = b · ∂L/∂d = −3 · −2 = 6"
    assert text(page, "#words") == "∂L/∂d arrives at mul. ∂L/∂a goes to a."
    assert "cotangent" in page.get_attribute("#words abbr", "title")
    assert page.get_attribute("#words abbr", "aria-label").startswith("∂L/∂d arrives")
    page.click("#words abbr")
    assert "In the engine: MulBackward0" in text(page, "#words")
    boxes = [text(page, f'.box[data-box="{k}"]') for k in range(3)]
    assert boxes == ["a 2.0 | ∂L/∂a 6.0", "b −3.0 | ∂L/∂b", "d = a · b d −6.0 | ∂L/∂d −2.0"]
    page.keyboard.press("ArrowLeft")
    assert text(page, '.box[data-box="0"]') == "a 2.0 | ∂L/∂a"
    page.keyboard.press("Home")
    assert text(page, "#step") == "Inputs"
    assert text(page, '.box[data-box="2"]') == "d = a · b d | ∂L/∂d"
    page.keyboard.press("PageDown")  # of a presenter
    assert text(page) == "d = a · b = 2 · −3 = −6"
    page.click("#last")
    assert text(page) == "∂L/∂b = a · ∂L/∂d = 2 · −2 = −4"
    assert text(page, "#step") == "Backward 4 of 4"
    page.focus("#slider")
    page.keyboard.press("ArrowLeft")
    assert text(page) == "∂L/∂a = b · ∂L/∂d = −3 · −2 = 6"


def test_the_next_number_is_hidden_until_it_is_asked_for(visit, lecture):
    page = visit(lecture)
    page.check("#hide")
    page.keyboard.press("PageDown")
    assert text(page) == "∂L/∂d = −2 · ∂L/∂L = −2 · 1 = ?"
    assert page.inner_text(cell(2, 1, 0)) == "?"
    assert "−2.0" not in page.inner_text('.box[data-box="2"]')
    page.click(cell(2, 1, 0))
    assert page.inner_text(cell(2, 1, 0)) == "−2.0"
    page.keyboard.press("PageDown")
    assert text(page).endswith("= ?")
    page.click("#board .ask")
    assert text(page).endswith("= 6")
    page.keyboard.press("PageDown")
    assert page.locator(".cell.ask").count() == 1
    page.keyboard.press("PageDown")  # shows it, and does not go on
    assert text(page) == "∂L/∂b = a · ∂L/∂d = 2 · −2 = −4"
    page.keyboard.press("PageUp")
    assert page.locator(".ask").count() == 0  # what was known stays known
    page.keyboard.press("h")
    assert not page.is_checked("#hide")


def test_a_sum_fills_up(visit, worked_examples):
    page = visit(worked_examples.chain())
    found = []
    for _ in range(6):
        page.keyboard.press("ArrowRight")
        if page.locator(".sum").count():
            found.append((text(page, ".sum"), page.inner_text(cell(0, 1, 0)),
                          page.locator(".cell.partial").count()))  # fmt: skip
    assert found == [
        ("∂L/∂x = 4 through L + □ through p", "4.0", 1),
        ("∂L/∂x = 4 through L + −6 through p = −2.0", "−2.0", 0),
    ]


def test_the_windows_of_the_convolution(visit, worked_examples):
    page = visit(worked_examples.convolution())
    page.keyboard.press("Home")
    rows = np.array([0, 1, 2, 5, 6, 7, 10, 11, 12])
    for start in (0, 2, 10, 12):  # z1 to z4, with stride 2
        page.keyboard.press("ArrowRight")
        lit = marked(page, "lit")
        assert [c for box, _, c in lit if box == 0] == (rows + start).tolist()
        assert [c for box, _, c in lit if box == 1] == list(range(9))
    page.keyboard.press("End")
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    assert text(page) == (
        "∂L/∂w₁ = a₁ · ∂L/∂z₁ + a₃ · ∂L/∂z₂ + a₁₁ · ∂L/∂z₃ + a₁₃ · ∂L/∂z₄ = "
        "1 · 8 + 2 · −8 + 2 · 16 + 0 · 8 = 24"
    )
    terms = page.eval_on_selector_all(".terms li", "t => t.map(x => x.innerText.split('\\n'))")
    assert terms == [
        ["a₁ · ∂L/∂z₁", "1 · 8 = 8", "sum 8"],
        ["a₃ · ∂L/∂z₂", "2 · −8 = −16", "sum −8"],
        ["a₁₁ · ∂L/∂z₃", "2 · 16 = 32", "sum 24"],
        ["a₁₃ · ∂L/∂z₄", "0 · 8 = 0", "sum 24"],
    ]
    assert [(b, c) for b, side, c in marked(page, "lit") if side == 0] == [
        (0, 0), (0, 2), (0, 10), (0, 12)
    ]  # fmt: skip
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")  # all of z
    assert text(page, "#step") == "Forward 4 of 11"


def test_looking_at_an_element(visit, worked_examples):
    page = visit(worked_examples.windows())
    page.keyboard.press("End")
    page.hover(cell(1, 1, 2))  # the gradient of y3, whose window has its maximum at x5
    assert text(page) == "∂L/∂y₃ = 4"
    assert marked(page, "flow") == [(0, 1, 4)]
    assert marked(page, "lit") == [(0, 0, 4)]
    assert [c for _, side, c in marked(page, "faint") if side == 0] == [3, 6, 7]
    page.hover(cell(0, 1, 4))
    assert text(page) == "∂L/∂x₅ = ∂L/∂y₃ + ∂L/∂y₄ = 4 + 8 = 12"
    assert marked(page, "lit") == [(1, 1, 2), (1, 1, 3)]
    assert [c for box, side, c in marked(page, "faint") if (box, side) == (0, 0)] == [
        0, 1, 2, 3, 5, 6, 7, 8  # all that it was compared with
    ]  # fmt: skip
    page.hover(cell(0, 1, 8))
    assert "x₉ is not the first maximum of a window" in text(page, ".note")
    page.hover("h1")
    assert text(page) == "∂L/∂x₉ = 0"


def test_the_keyboard_reaches_every_element(visit, worked_examples):
    page = visit(worked_examples.windows())
    page.keyboard.press("End")
    page.focus(cell(0, 1, 0))
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.dataset.cell") == "4"
    assert text(page).startswith("∂L/∂x₅ = ")
    assert page.get_attribute(cell(0, 1, 4), "aria-label") == "∂L/∂x₅ = 12"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # at the edge it stays
    assert page.evaluate("document.activeElement.dataset.cell") == "5"
    assert page.locator('.grid [tabindex="0"]').count() == page.locator(".grid").count()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    assert text(page, "#step") == "Backward 9 of 10"
    roles = page.eval_on_selector_all("[role]", "e => [...new Set(e.map(x => x.role))].sort()")
    assert roles == ["grid", "gridcell", "group", "row", "rowgroup"]
    unnamed = "e => e.filter(x => !(x.getAttribute('aria-label') || x.textContent.trim())).length"
    assert page.eval_on_selector_all("button, [role=grid], [role=group], section", unnamed) == 0


@pytest.mark.parametrize("name", ["chain", "convolution", "softmax"])
def test_pages_fit(visit, worked_examples, name):
    found = getattr(worked_examples, name)()
    for width in (1280, 390):
        page = visit(found, width=width)
        page.keyboard.press("End")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        stage = page.locator("#stage").bounding_box()
        graph = page.locator("#graph").bounding_box()
        assert graph["width"] <= stage["width"] + 1
        outside = page.eval_on_selector_all(
            ".cell", "c => c.filter(x => x.scrollWidth > x.clientWidth + 1).map(x => x.textContent)"
        )
        assert outside == []
        overlaps = page.evaluate(
            """() => {
            const r = [...document.querySelectorAll('.box')].map(b => b.getBoundingClientRect());
            return r.flatMap((a, i) => r.filter((b, j) => i < j && a.left < b.right && b.left < a.right
              && a.top < b.bottom && b.top < a.bottom)).length;
        }"""
        )
        assert overlaps == 0


def test_on_a_phone_the_step_is_in_sight(visit, worked_examples):
    page = visit(worked_examples.neuron(), width=390)
    for key in ("ArrowRight", "End", "Home", "ArrowRight", "PageDown", "End", "ArrowLeft"):
        page.keyboard.press(key)
        now = page.locator(".box.now")
        if now.count():
            box = now.bounding_box()
            board, footer = (page.locator(s).bounding_box() for s in ("#board", "footer"))
            assert box["y"] >= board["y"] + board["height"] - 1
            assert box["y"] + box["height"] <= footer["y"] + 1


def test_light_and_dark(visit, worked_examples):
    found = worked_examples.convolution()
    papers = []
    for scheme in ("light", "dark"):
        page = visit(found, scheme)
        page.keyboard.press("End")
        for selector in (".equation", ".equation .result", "#words", ".cell.now", ".cell.lit",
                         ".cell.gradient", ".box h2", "#step", ".so-far"):  # fmt: skip
            ratio = page.eval_on_selector(selector, CONTRAST)
            assert ratio > 4.5, (scheme, selector, ratio)
        papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.keyboard.press("d")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != papers[-1]
    assert papers == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]


CONTRAST = """element => {  // of its text with the nearest background (WCAG 2.2)
  const light = text => {
    const rgb = text.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255);
    const [r, g, b] = rgb.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let under = element;
  while (getComputedStyle(under).backgroundColor === 'rgba(0, 0, 0, 0)') under = under.parentElement;
  const pair = [getComputedStyle(element).color, getComputedStyle(under).backgroundColor].map(light);
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}"""


@pytest.mark.parametrize(
    "name", ["</script><script>document.title='out'</script>", "<img src=x onerror=\"document.title='out'\">"]
)  # fmt: skip
def test_names_stay_names(visit, name):
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    page = visit(visualize.by_hand((x * x).sum(), names={name: x}, title=name))
    page.keyboard.press("End")
    assert page.title() == name
    assert page.locator("script").count() == 2
    assert page.locator("img, a, iframe").count() == 0
    assert name in text(page)


def test_the_page_loads_nothing(worked_examples):
    page = worked_examples.softmax().html()
    assert "default-src 'none'" in page
    without = page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "http" not in without
    assert not re.search(r"<link|@import|\bsrc=|innerHTML|eval\(|url\(", without)
