"""`python -m visualize MODULE:FUNCTION --input 1,3,32,32 --out net.html`: a picture from the shell.

FUNCTION is called without arguments and returns a Module, which is then run on random inputs of the
shapes that are given, forward and backward; or a Tensor that was computed. MODULE may be the path
of a Python file. What is wrong is said in one line.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .backward import PHASES
from .heat import HEATS
from .picture import Picture, draw
from .trace import trace


class CommandError(Exception):
    """What is wrong, in one line."""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m visualize", description=__doc__.split("\n")[0])
    parser.add_argument("what", metavar="MODULE:FUNCTION", help="returns a Module or a Tensor")
    parser.add_argument("--input", action="append", default=[], type=shape, metavar="SHAPE",
                        help="of a random input, as 1,3,32,32; once for each input")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="FILE",
                        help="ends in .html, .svg, .png, .pdf or .dot")  # fmt: skip
    parser.add_argument("--depth", type=int, help="how deep modules open; 0: each is one box")
    parser.add_argument("--heat", choices=HEATS[:4], help="what colours say")
    parser.add_argument("--phase", choices=PHASES, default="forward")
    parser.add_argument("--direction", choices=("TB", "LR"), default="TB")
    parser.add_argument("--no-fold", action="store_true", help="draw every repeated block")
    parser.add_argument("--verdicts", metavar="FILE", help="of pytest --gradcheck-report=FILE")
    return parser.parse_args(argv)


def shape(text: str) -> tuple[int, ...]:
    """A shape from "1,3,32,32" or "1x3x32x32".

    >>> shape("1,3,32,32"), shape("4x8"), shape("5")
    ((1, 3, 32, 32), (4, 8), (5,))
    """
    try:
        sizes = tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no shape such as 1,3,32,32") from None
    if min(sizes) < 0:
        raise argparse.ArgumentTypeError(f"{text!r} has a negative size")
    return sizes


def load(what: str) -> Any:
    """What MODULE:FUNCTION returns."""
    where, colon, name = what.rpartition(":")
    if not colon or not name:
        raise CommandError(f"{what!r}: wanted MODULE:FUNCTION")
    try:
        if where.endswith(".py"):
            spec = importlib.util.spec_from_file_location(Path(where).stem, where)
            if spec is None or spec.loader is None:
                raise ImportError("no Python file")
            module = importlib.util.module_from_spec(spec)
            sys.modules.setdefault(spec.name, module)
            spec.loader.exec_module(module)
        else:
            sys.path.insert(0, "")
            module = importlib.import_module(where)
    except Exception as error:
        raise CommandError(f"cannot import {where}: {brief(error)}") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise CommandError(f"{where} has no function {name}")
    try:
        return function()
    except Exception as error:
        raise CommandError(f"{what}() failed: {brief(error)}") from error


def brief(error: BaseException) -> str:
    """An error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def picture(options: argparse.Namespace) -> Picture:
    """The picture that was asked for."""
    import tinygrad_cnn as tc

    made = load(options.what)
    how = {
        "direction": options.direction, "depth": options.depth, "fold": not options.no_fold,
        "heat": options.heat, "phase": options.phase, "verdicts": options.verdicts,
    }  # fmt: skip
    if isinstance(made, tc.Tensor):
        return draw(made, **how)
    if not isinstance(made, tc.nn.Module):
        raise CommandError(
            f"{options.what}() returned a {type(made).__name__}, wanted a Module or a Tensor"
        )
    if not options.input:
        raise CommandError(f"{options.what}() returned a Module: give the shape of its input, "
                           "--input 1,3,32,32")  # fmt: skip
    inputs = [tc.randn(*sizes) for sizes in options.input]
    if options.heat == "time":
        trace(made, *inputs)  # the first call of an op compiles it
    return trace(made, *inputs, **how)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; 0, or 1 after a line that says what is wrong."""
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
