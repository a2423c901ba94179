"""docs/coverage.md shows the names that are here, and each of their signatures is recorded."""

import inspect

from .coverage import PAGE, names_on_page, page
from .test_signatures import SPACES, TABLE


def test_the_page_is_up_to_date():
    text = PAGE.read_text()
    up_to_date = page(*names_on_page(text)) == text
    assert up_to_date, "write it again: python -m tests.conformance.coverage"


def test_the_page_reads_as_it_was_written():
    version, names = (
        "9.8.7",
        {"torch.nn": ["Linear", "NoSuchLayer", "ReLU"], "torch": ["add", "cat"]},
    )
    assert names_on_page(page(version, names)) == (version, names)


def test_every_function_that_pytorch_has_is_in_the_table_of_signatures():
    _, names = names_on_page(PAGE.read_text())
    missing = [
        path
        for space in ("torch", "torch.Tensor")
        for path, ours in ((f"{space}.{n}", getattr(SPACES[space], n, None)) for n in names[space])
        if callable(ours) and not inspect.isclass(ours) and path not in TABLE
    ]
    assert missing == [], "with PyTorch, run python -m tests.conformance.record_signatures"
