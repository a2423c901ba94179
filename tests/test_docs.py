"""The guides in docs/: every snippet runs, and every name and link in them exists."""

import doctest
import importlib.util
import re
from pathlib import Path

import numpy.fft  # noqa: F401  (pytester unloads modules, and this one loads only once)
import pytest

import tinygrad_cnn.testing as testing
from tinygrad_cnn.engine import registry

# Numba loads its many modules with the first kernel, and some of them only once.
if importlib.util.find_spec("numba"):
    import numba.core.boxing  # noqa: F401
    from numba.core.registry import cpu_target

    cpu_target.target_context.refresh()

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "testing.md").read_text(encoding="utf-8")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(language, text=TEXT):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def registry_as_it_was():
    """Only the package's own ops are registered during the test."""
    before = dict(registry)
    for name, op in before.items():
        if not op.forward.__module__.startswith("tinygrad_cnn."):
            del registry[name]
    yield
    registry.clear()
    registry.update(before)


def test_every_snippet_of_the_testing_guide_runs(pytester, registry_as_it_was, capsys):
    names = {"__name__": "guide"}
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    first_command, _ = blocks("sh")[0].splitlines()
    for number, block in enumerate(blocks("python")):
        if block.startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(block, names, f"block {number}", None, None)
            runner.run(test, clear_globs=False)
            names.update(test.globs)
        elif named := re.match(r"# (\w+)\.py\n", block):
            name = named[1]
            pytester.makepyfile(**{name: block})
            options = first_command.split()[1:]
            pytester.runpytest_subprocess(*options).assert_outcomes(passed=3)
    assert runner.summarize().failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("library", ["torch", "jax", "autograd", "mygrad"])
def test_the_examples_of_other_libraries_run(library):
    (block,) = (
        b for b in blocks("python") if re.match(rf"(import numpy.*\n)?import {library}\b", b)
    )
    pytest.importorskip(library)
    exec(compile(block, f"{library} in the guide", "exec"), {"__name__": "guide"})


def test_its_names_are_there():
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| draws?", TEXT, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", " ".join(rows))) | set(re.findall(r"testing\.(\w+)\(", TEXT))
    assert named - set(testing.__all__) == set()
    for command in re.findall(r"python -m ([\w.]+)", TEXT):
        assert importlib.util.find_spec(command), command


def test_its_links_lead_somewhere():
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= anchors
    sections = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    assert re.findall(r"^- \[(.*)\]\(#", TEXT, re.MULTILINE) == sections


def test_every_snippet_of_the_speed_guide_runs():
    assert doctest.testfile(str(DOCS / "speed.md"), module_relative=False).failed == 0


def test_every_snippet_of_the_guide_to_several_processes_runs():
    assert doctest.testfile(str(DOCS / "distributed.md"), module_relative=False).failed == 0
