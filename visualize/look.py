"""The options of a picture: their types, and the words that each accepts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypedDict, get_args

Direction = Literal["TB", "LR", "BT", "RL"]
Phase = Literal["forward", "backward", "both"]
Heat = Literal["time", "bytes", "grad", "verdict", "status"]
Arrangement = Literal["tall", "page", "slide"]
Detail = Literal["attributes", "params", "saved", "shapes", "dtypes", "source"]

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
PHASES: tuple[Phase, ...] = get_args(Phase)
HEATS: tuple[Heat, ...] = get_args(Heat)
ARRANGEMENTS: tuple[Arrangement, ...] = get_args(Arrangement)
DETAILS: tuple[Detail, ...] = get_args(Detail)
DEFAULT_DETAILS: tuple[Detail, ...] = ("attributes", "params", "shapes", "saved")
DEFAULT_LIMIT = 1600  # boxes; see cost.py


class Layout(TypedDict, total=False):
    """The options of `Picture` that every function which returns a picture accepts."""

    layout: Arrangement
    direction: Direction
    depth: int | None
    phase: Phase
    show: Detail | Iterable[Detail] | None
    limit: int | None


class Look(Layout, total=False):
    """The keyword options of `draw`, `trace` and `Steps.picture`. `Picture` documents them.

    >>> import tinygrad_cnn as tc
    >>> from .picture import draw
    >>> look: Look = {"direction": "LR", "phase": "backward"}
    >>> draw(tc.ones(2, requires_grad=True).exp(), **look).direction
    'LR'
    """

    fold: bool
    heat: Heat | None


def check_word(option: str, word: object, words: Sequence[str]) -> None:
    """Raise ValueError where an option has a word that it does not accept.

    >>> check_word("direction", "up", DIRECTIONS)
    Traceback (most recent call last):
    ValueError: direction: 'up' is not among ['TB', 'LR', 'BT', 'RL']
    """
    if word not in words:
        raise ValueError(f"{option}: {word!r} is not among {list(words)}")


def details(show: Detail | Iterable[Detail]) -> tuple[Detail, ...]:
    """The details that `show` names, one or several; ValueError for one that does not exist.

    >>> details("shapes"), details(["saved", "source"])
    (('shapes',), ('saved', 'source'))
    """
    named = (show,) if isinstance(show, str) else tuple(show)
    for name in named:
        check_word("show", name, DETAILS)
    return named
