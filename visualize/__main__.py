"""Draw a model or a tensor from the shell: `python -m visualize MODULE:FUNCTION --out net.html`.

FUNCTION is called without arguments. It returns a Module, which then runs forward and backward on
random inputs of the given shapes, or a computed Tensor. It may also be such a Module or Tensor
itself. MODULE may be the path of a Python file.
Errors are one line on standard error, with exit status 1.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tinygrad_cnn as tc

from .look import ARRANGEMENTS, HEATS, PHASES, Look
from .picture import Picture, draw
from .trace import trace

DEFAULT_BELOW = 10  # integers are below it, which every Embedding and every loss of ten classes has


class CommandError(Exception):
    """An error with a message of one line."""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m visualize", description="Draw the recorded graph of a model or a tensor."
    )
    parser.add_argument("function", metavar="MODULE:FUNCTION",
                        help="a function without arguments that returns a Module or a Tensor, or "
                        "such an object; MODULE may be the path of a Python file")  # fmt: skip
    parser.add_argument("--input", action="append", default=[], type=given, metavar="SHAPE",
                        help="shape of a random input of the Module, such as 1,3,32,32; once for "
                        "each input, in order. 8,20:int or 8,20:int<1000 draws integers below 10 "
                        "or 1000, NAME=SHAPE a keyword argument")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="FILE",
                        help="file to write; ends in .html, .svg, .png, .pdf or .dot")  # fmt: skip
    parser.add_argument("--layout", choices=ARRANGEMENTS, default="tall",
                        help="one path as long as it is, or wrapped on a page of A4 or a slide "
                        "(default: %(default)s)")  # fmt: skip
    parser.add_argument("--depth", type=int,
                        help="close modules deeper than this; 0 draws each outermost module as one "
                        "box (default: all open)")  # fmt: skip
    parser.add_argument("--heat", choices=[heat for heat in HEATS if heat != "status"],
                        help="colour boxes by time, by bytes kept for backward, by gradient norm, "
                        "or by the verdict of gradient checks")  # fmt: skip
    parser.add_argument("--phase", choices=PHASES, default="forward",
                        help="draw the forward graph, the backward graph, or both "
                        "(default: %(default)s)")  # fmt: skip
    parser.add_argument("--direction", choices=("TB", "LR"), default="TB",
                        help="draw from top to bottom or from left to right "
                        "(default: %(default)s)")  # fmt: skip
    parser.add_argument("--no-fold", action="store_true",
                        help="draw each repeated block (default: one, with a number)")  # fmt: skip
    parser.add_argument("--verdicts", metavar="FILE",
                        help="report that pytest --gradcheck-report=FILE wrote")  # fmt: skip
    return parser.parse_args(argv)


@dataclass(frozen=True)
class Given:
    """A random input: its shape, and the name of its parameter, or "".

    Its numbers are normal; or integers from 0 to below `below`, if that is not 0.
    """

    shape: tuple[int, ...]
    name: str = ""
    below: int = 0

    def draw(self) -> tc.Tensor:
        """The Tensor."""
        return tc.randint(self.below, self.shape) if self.below else tc.randn(self.shape)


def given(text: str) -> Given:
    """The input that "1,3,32,32", "1x3x32x32", "8,20:int<1000" or "mask=8,20" names.

    Raises ArgumentTypeError for other text.

    >>> given("1,3,32,32"), given("mask=4x8:int<2")
    (Given(shape=(1, 3, 32, 32), name='', below=0), Given(shape=(4, 8), name='mask', below=2))
    """
    match = re.fullmatch(r"(?:([^\W\d]\w*)=)?([\d,x-]+)(?::int(?:<(\d+))?)?", text)
    try:
        if match is None:
            raise ValueError
        sizes = tuple(int(part) for part in match[2].replace("x", ",").split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a shape such as 1,3,32,32") from None
    if min(sizes) < 0:
        raise argparse.ArgumentTypeError(f"{text!r} has a negative size")
    below = (int(match[3]) if match[3] else DEFAULT_BELOW) if ":int" in text else 0
    if ":int" in text and below < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: there is no integer from 0 to below 0")
    return Given(sizes, match[1] or "", below)


def load(named: str) -> object:
    """The result of the function that MODULE:FUNCTION names; CommandError where it fails."""
    where, colon, name = named.rpartition(":")
    if not colon or not name:
        raise CommandError(f"{named!r}: wanted MODULE:FUNCTION")
    try:
        if where.endswith(".py"):
            spec = importlib.util.spec_from_file_location(Path(where).stem, where)
            if spec is None or spec.loader is None:
                raise ImportError("not a Python file")
            module = importlib.util.module_from_spec(spec)
            sys.modules.setdefault(spec.name, module)
            spec.loader.exec_module(module)
        else:
            sys.path.insert(0, "")
            module = importlib.import_module(where)
    except Exception as error:
        raise CommandError(f"cannot import {where}: {brief(error)}") from error
    function = getattr(module, name, None)
    if isinstance(function, (tc.nn.Module, tc.Tensor)):
        return function
    if not callable(function):
        raise CommandError(f"{where} has no function {name}")
    try:
        result: object = function()
        return result
    except Exception as error:
        raise CommandError(f"{named}() failed: {brief(error)}") from error


def brief(error: BaseException) -> str:
    """An error on one line.

    >>> brief(ValueError("two\\n  lines"))
    'ValueError: two lines'
    """
    return " ".join(f"{type(error).__name__}: {error}".split())


def picture(options: argparse.Namespace) -> Picture:
    """The picture that the options ask for."""
    made = load(options.function)
    look: Look = {
        "layout": options.layout, "direction": options.direction, "depth": options.depth, "fold": not options.no_fold,
        "heat": options.heat, "phase": options.phase,
    }  # fmt: skip
    if isinstance(made, tc.Tensor):
        return draw(made, verdicts=options.verdicts, **look)
    if not isinstance(made, tc.nn.Module):
        raise CommandError(
            f"{options.function}() returned a {type(made).__name__}, wanted a Module or a Tensor"
        )
    if not options.input:
        raise CommandError(
            f"{options.function}() returned a Module: give the shape of its input, "
            "--input 1,3,32,32"
        )
    inputs = [each.draw() for each in options.input if not each.name]
    kwargs = {each.name: each.draw() for each in options.input if each.name}
    if options.heat == "time":
        trace(made, *inputs, kwargs=kwargs)  # the first call of an op compiles it
    return trace(made, *inputs, kwargs=kwargs, verdicts=options.verdicts, **look)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns 0, or 1 after an error, whose message is one line."""
    options = parse(argv)
    try:
        print(picture(options).save(options.out))
    except CommandError as error:
        print(f"visualize: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # the model is the user's, and may raise anything
        print(f"visualize: {brief(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
