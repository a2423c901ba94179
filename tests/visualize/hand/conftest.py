"""Fixtures of the tests of calculations by hand."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples" / "worked_examples.py"


@pytest.fixture(scope="session")
def worked_examples():
    """examples/worked_examples.py."""
    spec = importlib.util.spec_from_file_location("worked_examples", EXAMPLES)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def data_of():
    """data_of(page) is the data in the text of a page: all that it shows."""

    def read(page):
        return json.loads(
            re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1]
        )

    return read
