"""Fixtures of the tests of pictures."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn, optim


@pytest.fixture(scope="session")
def nets():
    """The models in nets.py."""
    spec = importlib.util.spec_from_file_location("nets", Path(__file__).parent / "nets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def picture(nets):
    """A LeNet with its loss: two constants, five parameters, eight ops."""
    model, x, labels = nets.LeNet(), tc.ones(2, 1, 8, 8), tc.tensor([1, 3])
    loss = F.cross_entropy(model(x), labels)
    return visualize.draw(loss, model, names={"images": x, "labels": labels})


@pytest.fixture
def trained():
    """trained(steps) is a small model after so many steps of SGD, its History and its Film."""

    def train(steps=70):
        tc.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
        history, film = visualize.History(), visualize.Film(model)
        x, y = tc.randn(16, 2), tc.randn(16, 1)
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = ((model(x) - y) ** 2).mean()
            loss.backward()
            history.step(loss=loss, model=model)
            film.frame(loss=loss)
            optimizer.step()
        return model, history, film

    return train


# --- Pages in a browser -------------------------------------------------------------------------


def chromium():
    """The path of Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; the test is skipped without it."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install -e '.[browser]'"
    )
    if chromium() is None:
        pytest.skip("Chromium is not installed: apt install chromium")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with playwright.sync_playwright() as p:
        launched = p.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"] if root else []
        )
        yield launched
        launched.close()


@pytest.fixture
def visit(browser, tmp_path):
    """visit(picture) is a browser page with it, which must cause no message, error or request."""
    wrong, pages = [], []

    def open_page(picture, scheme="light", width=1200):
        file = picture if hasattr(picture, "exists") else picture.save(tmp_path / "net.html")
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        page.on("console", lambda m: wrong.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on(
            "request",
            lambda r: None if r.url.startswith(("file:", "data:")) else wrong.append(r.url),
        )
        page.goto(file.as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert wrong == []
