"""DOT text to SVG, PNG and PDF: by a system `dot`, else by graphviz-pure, which pip installs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
import threading
from pathlib import Path

from .palette import DARK, INK

FORMATS = ("svg", "png", "pdf")

# Fonts of the width that the text was laid out with, the best first: the viewer has one of them.
FONTS = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', Cousine, 'Courier New', monospace"

# Inches that a PNG is shrunk to, if it is larger: without a limit a large graph wants gigabytes.
PNG_SIZE, PNG_DPI = "36,48", "144"

SVG_CLASS = "recorded-graph"
_PAINTS = ("fill", "stroke")

_binary_lock = threading.Lock()


class RendererNotFound(RuntimeError):
    """There is no program to lay out a graph, or none that can write this format."""


def find_dot() -> tuple[str, bool] | None:
    """The program that draws, and whether it is a system's `dot`; None where there is none.

    graphviz-pure stands in the folder of this environment's scripts, which need not be on the
    PATH: an environment works without being activated.
    """
    system = shutil.which("dot")
    if system is not None:
        return system, True
    scripts = sysconfig.get_path("scripts")
    pure = shutil.which("graphviz-pure", path=scripts) or shutil.which("graphviz-pure")
    return None if pure is None else (pure, False)


def render(dot: str, kind: str) -> bytes:
    """Lay out DOT text and return it as "svg", "png" or "pdf".

    Raises ValueError for another kind, RendererNotFound where no program is there to do it, and
    RuntimeError where it fails.
    """
    if kind not in FORMATS:
        raise ValueError(f"render: {kind!r} is not among {list(FORMATS)}")
    found = find_dot()
    if found is None:
        raise RendererNotFound(
            "no program to draw the graph: install Graphviz so that `dot` is on the PATH (apt "
            "install graphviz, brew install graphviz), or `pip install graphviz-pure` into this "
            "environment. picture.source and .save('graph.dot') work without"
        )
    binary, is_system = found
    if kind == "pdf" and not is_system:
        raise RendererNotFound(
            "a PDF needs a system Graphviz (apt install graphviz, brew install graphviz): "
            "graphviz-pure writes SVG and PNG. Save .svg or .png"
        )
    if kind == "png":
        dot = dot.replace("{", f'{{ graph [size="{PNG_SIZE}" dpi={PNG_DPI}]', 1)
    return _styled(_run(binary, dot, kind)) if kind == "svg" else _run(binary, dot, kind)


def _run(binary: str, dot: str, kind: str) -> bytes:
    """Hand the text to the `graphviz` package with `binary` as its dot.

    It goes through a pipe: nothing of it becomes an argument or the name of a file.
    """
    import graphviz
    from graphviz.backend import dot_command

    with _binary_lock:
        before, dot_command.DOT_BINARY = dot_command.DOT_BINARY, Path(binary)
        try:
            drawn: bytes = graphviz.Source(dot).pipe(format=kind, quiet=True)
            return drawn
        except (subprocess.CalledProcessError, OSError) as error:
            said = getattr(error, "stderr", None) or b""
            said = said.decode(errors="replace") if isinstance(said, bytes) else said
            lines = said.strip().splitlines() or [str(error)]
            raise RuntimeError(f"{os.path.basename(binary)} could not draw: {lines[-1]}") from error
        finally:
            dot_command.DOT_BINARY = before


def _styled(svg: bytes) -> bytes:
    """The SVG with fonts that look better, colours for a dark page, and no clipping in notebooks."""
    text = svg.decode()
    text = re.sub(r'font-family="[^"]*"', f'font-family="{FONTS}"', text)
    start = text.index("<svg")
    end = text.index(">", start) + 1
    style = f"<style>{_dark_css()}</style>"
    opening = text[start : end - 1] + f' class="{SVG_CLASS}" style="max-width:100%;height:auto">'
    return (opening + style + text[end:]).encode()


def _dark_css() -> str:
    """Rules for a dark page that touch no other picture on it."""
    rules = [(f'[{a}="{light}"]', a, dark) for light, dark in DARK.items() for a in _PAINTS]
    rules.append(("text:not([fill])", "fill", DARK[INK]))
    inside = "".join(f".{SVG_CLASS} {what}{{{paint}:{dark}}}" for what, paint, dark in rules)
    return f"@media (prefers-color-scheme:dark){{{inside}}}"
