"""Film: the weights of Linear layers as an animation."""

import json
import re

import numpy as np
import pytest

import tinygrad_cnn as tc
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


def test_layers_have_names_and_signs_a_legend(trained):
    _, _, film = trained(2)
    assert film.columns() == ["input", "layer 0", "layer 2"]
    (ax,) = film.figure().axes
    assert [text.get_text() for text in ax.texts] == film.columns()
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    widest = max(np.abs(w).max() for frame in film.weights for w in frame)
    assert legend == [f"weight above 0 (widest ±{widest:.3g})", "below 0", "thin: near 0"]
    assert "<Film: 2 frames of 2-3-1 units>" in repr(film)


@pytest.mark.parametrize("scores", [1, 2])
def test_the_boundary_is_where_the_model_changes_its_class(scores, tmp_path):
    """A model that separates at x + 2y = 1, by the sign of one score or the larger of two."""
    model = nn.Sequential(nn.Linear(2, scores), nn.Dropout(0.5))
    normal = tc.tensor([[1.0, 2.0]]) if scores == 1 else tc.tensor([[-1.0, -2.0], [1.0, 2.0]])
    with tc.no_grad():
        model[0].weight.copy_(normal)
        model[0].bias.copy_(tc.tensor([-1.0] if scores == 1 else [1.0, -1.0]))
    points = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.25]])
    labels = (points @ [1, 2] > 1).astype(int)
    film = visualize.Film(model, points, labels)
    film.frame(loss=0.1)
    assert model.training
    assert model[1].training  # its mode stays, and dropout does not change the classes
    plane = film.boundary
    xs, ys = (np.linspace(a, b, 48) for a, b in zip(plane.low, plane.high, strict=True))
    expected = xs[None, :] + 2 * ys[:, None] > 1
    np.testing.assert_array_equal(plane.frames[0], expected)
    _, drawn = film.figure().axes
    np.testing.assert_array_equal(drawn.get_images()[0].get_array(), expected)
    assert [t.get_text() for t in drawn.get_legend().get_texts()] == ["class 0", "class 1"]
    page = film.save(tmp_path / "film.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page)[1])
    assert data["boundary"]["frames"][0] == "".join("01"[int(v)] for v in expected.ravel())
    assert film.save(tmp_path / "film.gif").stat().st_size > 1000


def test_points_of_other_shapes():
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"wanted points \(N, 2\), got \(4, 3\)"):
        visualize.Film(model, np.ones((4, 3)), np.ones(4))
    with pytest.raises(ValueError, match="4 points, but 3 labels"):
        visualize.Film(model, np.ones((4, 2)), np.ones(3))
