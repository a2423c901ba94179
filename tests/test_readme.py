"""The README: every snippet runs, every name in its tables exists, and each command is one line."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_every_python_snippet_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "readme"}
    runner = doctest.DocTestRunner()
    for number, block in enumerate(blocks("python")):
        if block.startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(block, names, f"block {number}", None, None)
            runner.run(test, clear_globs=False)
            names.update(test.globs)
        else:
            exec(compile(block, f"README.md, block {number}", "exec"), names)
    assert runner.summarize().failed == 0, capsys.readouterr().out
    assert (tmp_path / "net.svg").stat().st_size > 1000
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", capsys.readouterr().out)]
    assert len(losses) == 3
    assert losses[-1] < 0.5


def test_the_training_loop_is_short():
    code = [line for line in blocks("python")[0].splitlines() if line]
    assert len(code) <= 22


def test_commands_are_one_line_each():
    main, tests = blocks("sh")
    assert main.count("\n") == tests.count("\n") == 1
    assert main.startswith("python3 -m venv .venv && ")
    assert main.endswith("examples/train_digits.py\n")
    assert tests.endswith("-m pytest -n auto\n")


ROWS = re.findall(r"^\| `([\w.]+)` \| (.*) \|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("where", "what"), ROWS, ids=[where for where, _ in ROWS])
def test_names_in_the_table_are_there(where, what):
    module = importlib.import_module(where)
    names = re.findall(r"`(\w+)`", what)
    assert names
    assert [name for name in names if not hasattr(module, name)] == []


def test_files_that_it_names_are_there():
    for path in re.findall(r"(?:docs|examples)/\w+\.\w+", TEXT):
        assert (ROOT / path).is_file(), path
