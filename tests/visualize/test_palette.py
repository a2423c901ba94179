"""The colours, computed: contrast of text and lines, and distances for people who see few colours.

- Contrast and relative luminance: WCAG 2.2, w3.org/TR/WCAG22/#dfn-contrast-ratio. Text needs 4.5 to
  1 (1.4.3), the lines around boxes 3 to 1 (1.4.11).
- Deuteranopia: Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color
  Vision Deficiency", 2009, table 1, severity 1.0, on linear RGB.
- Distance: ΔE*ab of CIE 1976, Euclidean in CIELAB. A just noticeable difference is about 2.3
  (Mahy, Van Eycken, Oosterlinck, 1994).
"""

import itertools

import numpy as np
import pytest

from visualize import marks, palette
from visualize.graph import Node
from visualize.palette import DARK

DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
     [-0.011820, 0.042940, 0.968881]]
)  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
WHITE = TO_XYZ.sum(axis=1)


def linear(colour):
    """Linear RGB, each from 0 to 1, of "#rrggbb"."""
    v = np.frombuffer(bytes.fromhex(colour[1:]), np.uint8) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return float(linear(colour) @ TO_XYZ[1])


def contrast(a, b):
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    t = TO_XYZ @ rgb / WHITE
    f = np.where(t > 216 / 24389, np.cbrt(np.maximum(t, 0)), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def normal(colour):
    return lab(linear(colour))


def deuteranopia(colour):
    return lab(np.clip(DEUTERANOPIA @ linear(colour), 0, 1))


def grey(colour):
    return lab(np.repeat(luminance(colour), 3))


def distance(a, b, seen):
    return float(np.linalg.norm(seen(a) - seen(b)))


THEMES = {"light": lambda colour: colour, "dark": DARK.__getitem__}
themes = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
PAIRS = {
    **palette.FAMILIES, "other": palette.OTHER, **palette.KIND_COLOURS, **palette.VERDICTS,
    **{f"status {name}": pair for name, pair in palette.STATUS.items()},
}  # fmt: skip


def test_the_measures_by_hand():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert normal("#ffffff") == pytest.approx([100, 0, 0], abs=0.01)
    assert normal("#ff0000") == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    # red and green of one lightness are far apart, and close for a deuteranope
    red, green = "#c06060", "#7a8a3a"
    assert distance(red, green, normal) > 50 > 3 * distance(red, green, deuteranopia)


@themes
@pytest.mark.parametrize("name", PAIRS)
def test_text_and_lines_have_contrast(name, theme):
    fill, line = map(theme, PAIRS[name])
    if name == "output":
        assert contrast(theme(palette.ON_OUTPUT), fill) >= 4.5
        return
    assert contrast(theme(palette.INK), fill) >= 7
    assert contrast(theme(palette.MUTED), fill) >= 4.5
    for behind in (fill, theme(palette.PAPER), theme(palette.FRAME)):
        assert contrast(line, behind) >= 3


@themes
def test_the_paper_and_the_arrows_have_contrast(theme):
    for behind in map(theme, (palette.PAPER, palette.FRAME)):
        assert contrast(theme(palette.INK), behind) >= 7
        assert contrast(theme(palette.MUTED), behind) >= 4.5
        for arrow in (palette.EDGE, palette.BACK_EDGE, palette.FAINT_EDGE):
            assert contrast(theme(arrow), behind) >= 3
    for colour in palette.HEAT:
        assert contrast(theme(palette.INK), theme(colour)) >= 4.5


@themes
@pytest.mark.parametrize("seen", [normal, deuteranopia, grey])
def test_heat_is_a_scale_for_everybody(theme, seen):
    """Each step is noticeable, and lightness alone tells the order."""
    steps = [seen(theme(colour)) for colour in palette.HEAT]
    lightness = [step[0] for step in steps]
    assert lightness == sorted(lightness, reverse=theme("#ffffff") == "#ffffff")
    for a, b in itertools.pairwise(steps):
        assert np.linalg.norm(a - b) >= 2.3


def test_signs_of_numbers_hold_for_everybody():
    low, zero, high = palette.NEGATIVE, palette.ZERO, palette.POSITIVE
    assert distance(low, high, deuteranopia) > 60
    assert distance(low, high, grey) > 20
    for end in (low, high):
        assert distance(end, zero, grey) > 20


def looks():
    """(colours, line) of each family."""
    found = {}
    for family in (*palette.FAMILIES, "no such family"):
        node = Node("op", "op", family=family)
        found[marks.line(node).words] = (marks.pair(node), marks.line(node))
    return list(found.values())


@pytest.mark.parametrize("seen", [normal, deuteranopia, grey])
def test_families_differ_by_colour_or_by_the_line_around_the_box(seen):
    families = looks()
    assert len(families) == 7
    for (a, own), (b, other) in itertools.combinations(families, 2):
        shape = (own.width > 1.5, own.dash, own.rounded, own.double) != (
            other.width > 1.5, other.dash, other.rounded, other.double,
        )  # fmt: skip
        assert shape
        if seen is not grey:  # in grey the lines alone tell them apart
            assert distance(a[0], b[0], seen) + distance(a[1], b[1], seen) >= 7


def test_a_difference_has_a_sign_and_a_verdict_has_words():
    from visualize.words import verdict_text

    signs = [marks.sign(Node("op", "op", status=status)) for status in palette.STATUS if status]
    assert len(set(signs)) == len(palette.STATUS) - 1
    assert all(signs)
    assert verdict_text(Node("op", "op")) == "gradient not checked"


@themes
def test_every_colour_has_a_dark_one(theme):
    for pair in PAIRS.values():
        for colour in pair:
            assert len(theme(colour)) == 7
