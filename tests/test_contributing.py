"""CONTRIBUTING.md: the code it shows is the code of the package, and its commands and files exist."""

import importlib.util
import re
import textwrap
from pathlib import Path

import pytest

import tinygrad_cnn

ROOT = Path(__file__).parents[1]
PACKAGE = Path(tinygrad_cnn.__file__).parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ADD_AN_OP = TEXT.partition("## Add an op")[2].partition("\n## ")[0]


def blocks(text):
    """The indented blocks of a text, outside of lists."""
    found = re.findall(r"(?:^(?: {8}.*)?\n)+", text, re.MULTILINE)
    return [textwrap.dedent(block).strip("\n") for block in found if block.strip()]


@pytest.mark.parametrize("block", blocks(ADD_AN_OP), ids=lambda block: block.partition("\n")[0])
def test_the_code_of_the_example_is_that_of_the_package(block):
    places = [f for f in PACKAGE.rglob("*.py") if block in f.read_text(encoding="utf-8")]
    assert len(places) == 1, f"no file of the package has this code:\n{block}"


def test_there_is_code_for_the_op_its_function_and_its_strategy():
    assert len(blocks(ADD_AN_OP)) == 3


def test_its_commands_are_modules():
    modules = set(re.findall(r"python -m ((?:tests|tinygrad_cnn|benchmarks)[\w.]*)", TEXT))
    assert {"tests.typing.stubs", "tests.conformance.record"} <= modules
    assert [m for m in sorted(modules) if importlib.util.find_spec(m) is None] == []


def test_the_files_that_it_names_are_there():
    names = set(re.findall(r"`((?:[\w.]+/)+[\w.]+\.(?:py|md))`", TEXT))
    homes = (ROOT, PACKAGE)
    assert [n for n in sorted(names) if not any((home / n).exists() for home in homes)] == []
