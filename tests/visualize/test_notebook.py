"""What a notebook shows: pictures, figures, tables, without `%matplotlib inline`.

Most tests follow IPython's display protocol by hand. The last executes a notebook in a kernel, if
nbclient and ipykernel are installed (`pip install -e '.[notebook]'`).
"""

import re

import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn

METHODS = {"text/html": "_repr_html_", "image/svg+xml": "_repr_svg_", "image/png": "_repr_png_"}


def display(value):
    """The MIME bundle of a value, as IPython's DisplayFormatter makes it."""
    bundle = {"text/plain": repr(value)}
    for kind, name in METHODS.items():
        method = getattr(value, name, None)
        made = None if method is None else method()
        if made is not None:
            bundle[kind] = made
    whole = getattr(value, "_repr_mimebundle_", None)
    return bundle | (whole(include=None, exclude=None) if whole else {})


@pytest.fixture
def model():
    tc.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))


def test_pictures_and_steps_are_svg(model):
    picture = visualize.trace(model, tc.randn(2, 1, 4, 4))
    steps = visualize.steps(model(tc.randn(2, 1, 4, 4)).sum(), model)
    difference = visualize.diff(picture, picture)
    for value in (
        picture,
        steps,
        difference,
        visualize.trace(model, tc.randn(2, 1, 4, 4), layout="slide"),
    ):
        bundle = display(value)
        assert bundle["image/svg+xml"].startswith("<svg")
        assert len(repr(value)) < 200
    assert repr(steps) == "<Steps: sum, linear, reshape, relu, conv2d>"
    assert len(repr(picture.graph)) < 80
    assert repr(picture.graph) == "<Graph of 11 nodes, 5 ops, 10 edges>"


def test_long_steps_have_a_short_repr():
    y = tc.ones(2, requires_grad=True)
    for _ in range(100):
        y = y.sin()
    assert repr(visualize.steps(y.sum())) == "<Steps: sum, sin, sin, sin, sin, sin, sin, … 94 more>"


def test_tables_and_summaries_are_html(model):
    x = tc.randn(2, 1, 4, 4)
    table = visualize.trace(model, x).table("kept")
    assert repr(table) == "<Table of 5 ops>"
    html = display(table)["text/html"]
    cells = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)
    ]
    assert cells[0] == ["op", "module", "kept", "forward", "backward", "gradient", "line"]
    assert [row[0] for row in cells[1:-1]] == [row.op for row in table.rows]
    assert cells[-1][0] == "all"
    summary = nn.summary(model, x)
    html = display(summary)["text/html"]
    assert len(re.findall("<tr>", html)) == 1 + 5
    assert "<b>Multiply-adds</b> 384" in html
    assert html.count(">Conv2d<") == 1
    names = nn.summary(nn.Sequential(nn.Identity()), x)
    names.rows[0].type = "<script>"
    assert "&lt;script&gt;" in names._repr_html_()
    table.rows[0].op = "<b>\ud800"
    assert "&lt;b&gt;\ufffd" in table._repr_html_()


def test_figures_and_histories_are_png_and_films_play(model):
    pytest.importorskip("matplotlib")
    x = tc.randn(2, 1, 4, 4)
    history, film = visualize.History(), visualize.Film(model)
    assert set(display(history)) == set(display(film)) == {"text/plain"}
    history.step(loss=1.0)
    history.step(loss=0.5)
    film.frame(loss=1.0)
    assert repr(history) == "<History: 2 steps of loss>"
    for value in (visualize.filters(model[0]), visualize.activations(model, x), history.plot(),
                  history, film.figure()):  # fmt: skip
        assert display(value)["image/png"].startswith(b"\x89PNG")
    html = display(film)["text/html"]
    assert html.startswith("<iframe srcdoc=")
    assert 'sandbox="allow-scripts"' in html
    assert "&lt;!doctype html&gt;" in html


CELLS = [
    """
import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
x = tc.randn(2, 1, 4, 4)
history, film = visualize.History(), visualize.Film(model)
for loss in (1.0, 0.5):
    history.step(loss=loss); film.frame(loss=loss)
picture = visualize.trace(model, x)
picture
""",
    "picture.table()",
    "nn.summary(model, x)",
    "visualize.filters(model[0])",
    "history",
    "film",
    "visualize.steps(model(x).sum(), model)",
    "picture.graph",
]
SHOWN = ["image/svg+xml", "text/html", "text/html", "image/png", "image/png", "text/html",
         "image/svg+xml", "text/plain"]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_an_executed_notebook():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    for cell, kind in zip(notebook.cells, SHOWN, strict=True):
        (output,) = cell.outputs
        assert output["output_type"] == "execute_result", output
        assert kind in output["data"], (cell.source, list(output["data"]))
        assert len(output["data"]["text/plain"]) < 2000
