"""DOT text to SVG, PNG and PDF, by the system's `dot`, or else by graphviz-pure."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from typing import Literal, get_args

from .palette import DARK, INK

Format = Literal["svg", "png", "pdf"]
FORMATS: tuple[Format, ...] = get_args(Format)

# Fonts as wide as Courier New, which the layout used, the best first. Every system has one of them.
FONTS = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', Cousine, 'Courier New', monospace"

# A larger PNG is scaled down to this size. Without a limit a large graph needs gigabytes.
PNG_INCHES, PNG_DPI = "36,48", "144"

SVG_CLASS = "recorded-graph"
# Read by Graphviz 2.50 and newer, whose PDF files may compress the time of creation.
REPRODUCIBLE = {"SOURCE_DATE_EPOCH": "0"}
_PAINTS = ("fill", "stroke")


class RendererNotFound(RuntimeError):
    """No program that lays out graphs is installed, or none that writes the wanted format."""


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
    and RuntimeError if the program fails.

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
    """Have the `graphviz` package run `binary`.

    The text goes through a pipe. No part of it becomes an argument or a file name.
    """
    from graphviz.backend.execute import run_check

    try:
        drawn: bytes = run_check(
            [binary, "-Kdot", f"-T{kind}"],
            input=dot.encode(),
            capture_output=True,
            quiet=True,
            env={**os.environ, **REPRODUCIBLE},
        ).stdout
        return drawn
    except (subprocess.CalledProcessError, OSError) as error:
        stderr = getattr(error, "stderr", None) or b""
        message = stderr.decode(errors="replace") if isinstance(stderr, bytes) else stderr
        lines = message.strip().splitlines() or [str(error)]
        raise RuntimeError(f"{os.path.basename(binary)} could not draw: {lines[-1]}") from error


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
