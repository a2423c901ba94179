"""DOT text to SVG, PNG and PDF, by the system's `dot`, or else by graphviz-pure."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from subprocess import PIPE
from typing import Any, Literal, get_args

from .palette import DARK, INK

Format = Literal["svg", "png", "pdf"]
FORMATS: tuple[Format, ...] = get_args(Format)

# Fonts as wide as Courier New, which the layout used, the best first. Every system has one of them.
FONTS = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', Cousine, 'Courier New', monospace"

# A larger PNG is scaled down to this size. Without a limit a large graph needs gigabytes.
PNG_INCHES, PNG_DPI = "36,48", "144"

# A picture takes 10 s at most (see `cost.py`). This bound is for a slow machine, and for limit=None.
LAYOUT_SECONDS = 120
_GROUP: dict[str, Any] = {} if sys.platform == "win32" else {"start_new_session": True}

SVG_CLASS = "recorded-graph"
# Read by Graphviz 2.50 and newer, whose PDF files may compress the time of creation.
REPRODUCIBLE = {"SOURCE_DATE_EPOCH": "0"}
_PAINTS = ("fill", "stroke")


class RendererNotFound(RuntimeError):
    """No program that lays out graphs is installed, or none that writes the wanted format."""


class LayoutTimeout(RuntimeError):
    """The layout took too long and was stopped."""


def find_dot() -> tuple[str, bool] | None:
    """The path of the layout program, and whether it is the system's `dot`; None if there is none.

    graphviz-pure is looked for in the scripts folder of this Python environment first, which is not
    on the PATH of an environment that is not activated.
    """
    system = shutil.which("dot")
    if system is not None:
        return system, True
    scripts = sysconfig.get_path("scripts")
    pure = shutil.which("graphviz-pure", path=scripts) or shutil.which("graphviz-pure")
    return None if pure is None else (pure, False)


def render(dot: str, kind: Format) -> bytes:
    """Lay out DOT text and return it as "svg", "png" or "pdf".

    Raises ValueError for another kind, RendererNotFound if no installed program writes that kind,
    LayoutTimeout after two minutes, and RuntimeError if the program fails. No process stays behind,
    also after an interrupt.

    >>> render("digraph { a -> b }", "svg")[:4]
    b'<svg'
    """
    if kind not in FORMATS:
        raise ValueError(f"render: {kind!r} is not among {list(FORMATS)}")
    found = find_dot()
    if found is None:
        raise RendererNotFound(
            "no program to lay out the graph: install Graphviz so that `dot` is on the PATH (apt "
            "install graphviz, brew install graphviz), or `pip install graphviz-pure` into this "
            "environment. picture.source, .save('graph.dot') and .save('graph.html') need neither"
        )
    binary, is_system = found
    if kind == "pdf" and not is_system:
        raise RendererNotFound(
            "a PDF needs a system Graphviz (apt install graphviz, brew install graphviz): "
            "graphviz-pure writes SVG and PNG only. Save as .svg or .png"
        )
    if kind == "png":
        dot = dot.replace("{", f'{{ graph [size="{PNG_INCHES}" dpi={PNG_DPI}]', 1)
    drawn = _run(binary, dot, kind)
    return _styled(drawn) if kind == "svg" else undated(drawn) if kind == "pdf" else drawn


def undated(pdf: bytes) -> bytes:
    """A PDF without the time at which it was made, so that equal pictures are equal files.

    The text stays as long as it was, since a PDF holds the places of its parts.

    >>> undated(b"/CreationDate (D:20261201032719Z)")
    b'/CreationDate (D:19700101000000Z)'
    """
    return re.sub(rb"(/(?:Creation|Mod)Date \(D:)\d{14}", rb"\g<1>19700101000000", pdf)


def _run(binary: str, dot: str, kind: Format) -> bytes:
    """Have `binary` lay out the text, which goes through a pipe: no part of it becomes an argument.

    The program is the leader of a process group of its own. The group is killed if the time is up
    and if anything interrupts the waiting.
    """
    try:
        process = subprocess.Popen(
            [binary, "-Kdot", f"-T{kind}"],
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, **REPRODUCIBLE},
            **_GROUP,
        )
    except OSError as error:
        raise RuntimeError(f"{os.path.basename(binary)} could not draw: {error}") from error
    with process:
        try:
            drawn, errors = process.communicate(dot.encode(), timeout=LAYOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            _kill(process)
            raise LayoutTimeout(
                f"the layout took more than {LAYOUT_SECONDS} s and was stopped: limit=500 draws "
                "fewer boxes, depth=0 closes all modules, and .save('graph.html') needs no layout"
            ) from error
        except BaseException:
            _kill(process)
            raise
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit status {process.returncode}"
        raise RuntimeError(f"{os.path.basename(binary)} could not draw: {reason}")
    return drawn


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and those that it started."""
    with contextlib.suppress(OSError):  # it has ended
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _styled(svg: bytes) -> bytes:
    """The SVG with better looking fonts, colours for a dark page, and no clipping in notebooks."""
    text = svg.decode()
    text = re.sub(r'font-family="[^"]*"', f'font-family="{FONTS}"', text)
    start = text.index("<svg")
    end = text.index(">", start) + 1
    style = f"<style>{_dark_css(text)}</style>"
    opening = text[start : end - 1] + f' class="{SVG_CLASS}" style="max-width:100%;height:auto">'
    return (opening + style + text[end:]).encode()


def _dark_css(svg: str) -> str:
    """Style rules for a dark page, for the colours of this picture. They apply to it only."""
    rules = [
        (f'[{a}="{light}"]', a, dark)
        for light, dark in DARK.items() for a in _PAINTS if f'{a}="{light}"' in svg
    ]  # fmt: skip
    rules.append(("text:not([fill])", "fill", DARK[INK]))
    inside = "".join(f".{SVG_CLASS} {where}{{{paint}:{dark}}}" for where, paint, dark in rules)
    return f"@media (prefers-color-scheme:dark){{{inside}}}"
