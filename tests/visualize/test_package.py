"""The package as a whole: it is a client of the public API, and cheap to import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import visualize

FILES = sorted(Path(visualize.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_uses_the_public_api_and_the_engine(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinygrad_cnn"):
            assert node.module == "tinygrad_cnn"
            assert not any(alias.name.startswith("_") for alias in node.names)
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            assert owner == "self" or node.attr.startswith(("__", "_repr_")), node.attr


def test_importing_it_loads_no_matplotlib_and_no_graphviz():
    code = "import sys, visualize; assert not {'matplotlib', 'graphviz'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_documented():
    for name in visualize.__all__:
        thing = getattr(visualize, name)
        assert thing.__doc__, name
        for attribute, value in vars(thing).items() if isinstance(thing, type) else ():
            if not attribute.startswith("_") and callable(value):
                assert value.__doc__, f"{name}.{attribute}"
