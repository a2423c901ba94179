"""The programs that lay out graphs, and errors if there are none."""

import os
import shutil
import subprocess
import sys
import sysconfig
import time

import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
from visualize import render


def test_system_dot_comes_first(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name, path=None: f"/somewhere/{name}")
    assert render.find_dot() == ("/somewhere/dot", True)


def test_graphviz_pure_is_found_off_the_path(monkeypatch):
    monkeypatch.setenv("PATH", "")
    binary, is_system = render.find_dot()
    assert binary.startswith(sysconfig.get_path("scripts"))
    assert not is_system


@pytest.fixture
def no_renderer(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)


def test_without_a_renderer_the_error_names_both_ways(no_renderer, picture, tmp_path):
    with pytest.raises(
        visualize.RendererNotFound, match=r"install graphviz.*pip install graphviz-pure"
    ):
        picture.save(tmp_path / "net.svg")
    assert not (tmp_path / "net.svg").exists()
    assert picture.save(tmp_path / "net.dot").exists()
    bundle = picture._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert "graphviz-pure" in bundle["text/plain"]


def test_pdf_wants_a_system_dot(monkeypatch, picture, tmp_path):
    if shutil.which("dot"):
        assert picture.save(tmp_path / "net.pdf").read_bytes().startswith(b"%PDF")
        return
    with pytest.raises(visualize.RendererNotFound, match="a PDF needs a system Graphviz"):
        picture.save(tmp_path / "net.pdf")


def test_a_pdf_is_the_same_from_run_to_run(monkeypatch, picture, tmp_path):
    """By the system's `dot`, or by one that writes the time and what it was told of it."""
    if shutil.which("dot"):
        first = picture.render("pdf")
        time.sleep(max(0.0, 1.01 - time.time() % 1))  # the next second
        assert picture.render("pdf") == first
    if os.name == "nt":
        return  # a script is no program there
    fake = tmp_path / "dot"
    fake.write_text(
        f"#!{sys.executable}\nimport os, sys, time\nsys.stdin.read()\n"
        "date = str(time.time_ns())[-14:] + 'Z'\n"
        "print(f'%PDF-1.5 /CreationDate (D:{date}) /ModDate (D:{date}) xref 17', end=' ')\n"
        "print(os.environ['SOURCE_DATE_EPOCH'], end='')\n"
    )
    fake.chmod(0o755)
    monkeypatch.setattr(render, "find_dot", lambda: (str(fake), True))
    date = b"19700101000000Z"
    wanted = b"%PDF-1.5 /CreationDate (D:" + date + b") /ModDate (D:" + date + b") xref 17 0"
    assert picture.render("pdf") == picture.render("pdf") == wanted


def test_what_cannot_be_laid_out_is_an_error():
    with pytest.raises(RuntimeError, match="could not draw"):
        render.render("digraph { a -> }", "svg")
    with pytest.raises(ValueError, match="'gif' is not among"):
        render.render("digraph {}", "gif")


def test_the_layout_needs_no_fonts_of_the_system(tmp_path):
    """In a container without fonts the layout is the same."""
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    source = visualize.draw(model(tc.ones(2, 4)).sum(), model).source
    binary, is_system = render.find_dot()
    if is_system:
        pytest.skip("a system dot measures text with the system's fonts; boxes then fit these")
    (tmp_path / "fonts.conf").write_text('<?xml version="1.0"?><fontconfig></fontconfig>')
    environments = [{"PATH": os.environ["PATH"], **extra} for extra in (
        {"HOME": os.environ.get("HOME", "/")},
        {"HOME": str(tmp_path), "FONTCONFIG_FILE": str(tmp_path / "fonts.conf")},
    )]  # fmt: skip
    drawn = [
        subprocess.run([binary, "-Tsvg"], input=source.encode(), env=env, check=True,
                       capture_output=True).stdout
        for env in environments
    ]  # fmt: skip
    assert drawn[0] == drawn[1] != b""


# --- No process stays behind ----------------------------------------------------------------------


@pytest.fixture
def hanging_dot(tmp_path, monkeypatch):
    """A `dot` that starts another process, writes both ids, and never ends."""
    if os.name != "posix":
        pytest.skip("a shell script")
    script = tmp_path / "dot"
    script.write_text(f"#!/bin/sh\nsleep 60 &\necho $$ $! > {tmp_path}/ids.tmp\n"
                      f"mv {tmp_path}/ids.tmp {tmp_path}/ids\nwait\n")  # fmt: skip
    script.chmod(0o755)
    monkeypatch.setattr(render, "find_dot", lambda: (str(script), True))

    def gone():
        """Whether both processes have ended, or are about to: a zombie has no command line."""
        for pid in (tmp_path / "ids").read_text().split():
            for _ in range(100):
                if not _runs(int(pid)):
                    break
                time.sleep(0.01)
            else:
                return False
        return True

    return tmp_path / "ids", gone


def _runs(pid):
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


def test_a_layout_that_takes_too_long_is_killed(hanging_dot, monkeypatch):
    ids, gone = hanging_dot
    monkeypatch.setattr(render, "LAYOUT_SECONDS", 0.1)
    with pytest.raises(visualize.LayoutTimeout, match=r"limit=500 draws fewer.*depth=0 closes"):
        render.render("digraph {}", "svg")
    assert ids.exists()
    assert gone()


def test_an_interrupted_layout_leaves_no_process(hanging_dot, monkeypatch):
    ids, gone = hanging_dot
    started = subprocess.Popen.communicate

    def interrupted(process, *args, **kwargs):
        try:
            started(process, timeout=0.02)
        except subprocess.TimeoutExpired:
            if ids.exists():
                raise KeyboardInterrupt from None
            return interrupted(process)

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render.render("digraph {}", "svg")
    monkeypatch.undo()
    assert gone()
