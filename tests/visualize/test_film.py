"""Film: the weights of Linear layers as an animation."""

import json
import re

import numpy as np
import pytest

import visualize
from tinygrad_cnn import nn

pytest.importorskip("matplotlib")


def test_film(trained, tmp_path):
    _, _, film = trained(6)
    assert len(film) == 6
    assert film.notes[0].startswith("step 1, loss ")
    before, after = film.weights[0][0], film.weights[5][0]
    assert not np.array_equal(before, after)  # a copy, not the trained array
    gif = film.save(tmp_path / "film.gif")
    assert gif.read_bytes().startswith(b"GIF89a")
    from PIL import Image

    with Image.open(gif) as picture:
        assert picture.n_frames == 6
    page = film.save(tmp_path / "film.html").read_text()
    data = json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page)[1])
    np.testing.assert_allclose(data["frames"][5][0], after, atol=1e-4)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_film_lines_are_the_weights(trained):
    from matplotlib.collections import LineCollection

    _, _, film = trained(3)
    ax = film.figure(-1).axes[0]
    first, second = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert len(first.get_segments()) == 6
    assert len(second.get_segments()) == 3
    widths = np.array(first.get_linewidths())
    assert np.argmax(widths) == np.argmax(np.abs(film.weights[-1][0]).ravel())


def test_films_of_nothing(tmp_path):
    with pytest.raises(ValueError, match="Film: ReLU has no Linear layer"):
        visualize.Film(nn.ReLU())
    film = visualize.Film(nn.Linear(2, 40))
    assert film.sizes == [2, 16]
    with pytest.raises(ValueError, match="the film has no frame"):
        film.save(tmp_path / "a.gif")
    with pytest.raises(IndexError, match="frame 0 does not exist"):
        film.figure(0)
    film.frame()
    with pytest.raises(ValueError, match=r"must end in \.gif or \.html"):
        film.save(tmp_path / "a.mp4")
