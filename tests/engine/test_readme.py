"""The tour of the engine: every example runs, and its table names every file."""

import doctest
import re
from pathlib import Path

import tinygrad_cnn.engine

ROOM = Path(tinygrad_cnn.engine.__file__).parent
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


def test_every_example_runs(scratch_ops):
    assert (
        doctest.testfile(str(ROOM / "README.md"), module_relative=False, optionflags=FLAGS).failed
        == 0
    )


def test_its_table_names_every_file():
    text = (ROOM / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in ROOM.glob("*.py")} - {"__init__.py"}
    cells = " ".join(re.findall(r"^\|([^|]*)\|", text, re.MULTILINE))  # the first of each row
    assert set(re.findall(r"`(\w+\.py)`", cells)) == files
