"""docs/security.md: what the package runs, reads, writes and starts is exactly what the page says."""

import ast
import doctest
import importlib.util
import io
import os
import pickle
import re
from pathlib import Path

import pytest

import tinygrad_cnn as tc
from tests.audit import watched
from visualize.render import find_dot

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security.md"
TEXT = PAGE.read_text(encoding="utf-8")
PROCESSES = ROOT / "tinygrad_cnn" / "distributed"
SOURCES = [
    *sorted((ROOT / "tinygrad_cnn").rglob("*.py")), *sorted((ROOT / "visualize").rglob("*.py")),
    ROOT / "tinygrad_cnn_pytest.py",
]  # fmt: skip

# Beyond those in the page's table, nothing in the packages uses these.
POWERFUL_MODULES = {
    "asyncio", "code", "ctypes", "ftplib", "http", "marshal", "multiprocessing", "pickle", "pty",
    "requests", "runpy", "shelve", "smtplib", "socket", "socketserver", "ssl", "subprocess",
    "tempfile", "urllib.request", "webbrowser", "xmlrpc",
}  # fmt: skip
POWERFUL_CALLS = {"__import__", "eval", "exec"}
POWERFUL_ATTRIBUTES = re.compile(r"os\.(system|popen|fork\w*|exec\w+|spawn\w+|posix_spawn\w*)")
POWERFUL_WORDS = re.compile(  # most files have none of them, and need not be parsed
    rf"\b({'|'.join(POWERFUL_MODULES | POWERFUL_CALLS)})\b|{POWERFUL_ATTRIBUTES.pattern}"
)
NASTY = "$(touch broken); `touch broken` \"' -o broken --help <script>"


def table(heading):
    """The rows of the table whose header begins with this cell, as lists of cells."""
    lines = TEXT.partition(f"| {heading} |")[2].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def code(cell):
    return re.findall(r"`([^`]+)`", cell)


CALLS = [(code(call)[0], set(code(writes)), starts) for call, writes, starts in table("call")]


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """(the folder, what each call of the table did, what a graph with nasty names did)."""
    folder = tmp_path_factory.mktemp("seen")
    nasty = f"""
names = {{{NASTY!r}: model.weight}}
visualize.draw(model(tc.ones(3, 2)), model, names=names).save("nasty.svg")
"""
    plugin = """
import pytest
before = set(sys.modules)
import tinygrad_cnn_pytest
loaded = set(sys.modules) - before
assert loaded == {"tinygrad_cnn_pytest"}, loaded
"""
    pieces = ["import sys" + plugin, *[call for call, _, _ in CALLS], nasty]
    results = watched(pieces, folder, TINYGRAD_CNN_KERNELS="vectorized")
    return folder, results[:-1], results[-1]


def test_the_page_has_the_calls():
    assert len(CALLS) == 10
    assert {starts for _, _, starts in CALLS} == {"nothing", "the layout program"}


@pytest.mark.parametrize("at", range(len(CALLS)), ids=[call for call, _, _ in CALLS])
def test_calls_write_and_start_what_the_page_says(at, seen):
    folder, results, _ = seen
    call, named, starts = CALLS[at]
    did = results[at + 1]
    assert did.network == []
    assert did.pickle == []
    assert len(did.processes) == (starts == "the layout program")
    wanted = {str(folder / name) for name in named}
    assert wanted <= did.files | {str(f) for f in folder.iterdir()}
    if call.startswith("tc.save"):  # a second file may be beside the target, or have no name
        places = {os.path.dirname(file) for file in did.files - {str(folder)}}
        assert places - {"/proc/self/fd"} == {str(folder)}
    else:
        assert did.files == wanted


def test_no_other_files_are_left(seen):
    folder, results, _ = seen
    named = set().union(*(named for _, named, _ in CALLS))
    assert {file.name for file in folder.iterdir()} == named | {"nasty.svg"}
    assert results[0].files == set()  # the plugin of pytest


def test_no_name_becomes_an_argument(seen):
    _, results, nasty = seen
    [[program, *arguments]] = results[-1].processes
    assert program == find_dot()[0]
    assert all(re.fullmatch(r"-[A-Za-z]+", argument) for argument in arguments)
    assert nasty.processes == results[-1].processes


def uses(path):
    """The powerful features that a file uses."""
    text = path.read_text(encoding="utf-8")
    if not POWERFUL_WORDS.search(text):
        return
    for node in ast.walk(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names = [node.func.id] if node.func.id in POWERFUL_CALLS else []
        elif isinstance(node, ast.Attribute) and POWERFUL_ATTRIBUTES.fullmatch(ast.unparse(node)):
            names = [ast.unparse(node)]
        for name in names:
            if name in POWERFUL_CALLS or POWERFUL_ATTRIBUTES.fullmatch(name):
                yield name
            for module in POWERFUL_MODULES:
                if name == module or name.startswith(f"{module}."):
                    yield module


def test_powerful_features_are_used_where_the_page_says():
    found = {}
    for path in SOURCES:
        for feature in uses(path):
            found.setdefault(feature, set()).add(path.relative_to(ROOT).as_posix())
    assert found == {code(name)[0]: set(code(files)) for name, files, _ in table("feature")}


def test_the_variables_are_those_of_the_page():
    found, of_processes = set(), set()
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if re.search(r"\bos\.environ\b", text) and path.is_relative_to(PROCESSES):
            of_processes.add(path.relative_to(ROOT).as_posix())
            continue
        found |= set(re.findall(r"""environ(?:\.get\(|\[)["'](\w+)["']""", text))
        passed_on = r"\*\*os\.environ\b"  # to the layout program
        assert len(re.findall(r"\benviron\b|\bgetenv\b", text)) == len(
            re.findall(rf"""{passed_on}|\bos\.environ(?:\.get\(|\[)["']\w+["']""", text)
        ), path
    assert found == {code(name)[0] for name, _ in table("variable")}
    named = PAGE.read_text(encoding="utf-8").partition("Training in several processes reads")[2]
    assert of_processes == set(re.findall(r"`(\S+\.py)`", named.partition("\n\n")[0]))


def test_its_snippets_run():
    flags = doctest.IGNORE_EXCEPTION_DETAIL | doctest.ELLIPSIS
    results = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert results.attempted > 4
    assert results.failed == 0


class Attack:
    """A pickle that calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function", [os.mkdir, eval, exec, os.system, __import__, getattr])
def test_no_argument_lets_a_file_run_code(function, tmp_path):
    mark = tmp_path / "mark"
    attack = pickle.dumps(Attack(function, str(mark)))
    for load in (
        lambda file: tc.load(file, weights_only=False),
        lambda file: tc.load(file, weights_only=False, pickle_module=pickle),
        tc.serialization.load_pickle,
    ):
        with pytest.raises(tc.CheckpointError):
            load(io.BytesIO(attack))
        with tc.serialization.safe_globals([function]), pytest.raises(tc.CheckpointError):
            load(io.BytesIO(attack))  # not even if the program allows it
    assert not mark.exists()


def test_only_the_allowed_functions_of_a_program_are_called():
    called = []

    def note(*arguments):
        called.append(arguments)
        return 1

    note.__qualname__, note.__module__ = "note", "program"
    attack = b"cprogram\nnote\n(I7\ntR."
    with pytest.raises(tc.CheckpointError, match=r"program\.note"):
        tc.serialization.load_pickle(io.BytesIO(attack))
    assert called == []
    with tc.serialization.safe_globals([note]):
        assert tc.serialization.load_pickle(io.BytesIO(attack)) == 1
    assert called == [(7,)]


@pytest.mark.skipif(not importlib.util.find_spec("numba"), reason="Numba is not installed")
def test_places_of_the_cache(monkeypatch, tmp_path):
    from numba.core import caching, config

    from tinygrad_cnn.kernels.compiled import jit, matmul

    source = matmul.matmul
    beside = Path(matmul.__file__).parent / "__pycache__"

    def place():
        return Path(jit._Cache(source).cache_path)

    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "named"))
    assert place().parent == tmp_path / "named"
    monkeypatch.setattr(config, "CACHE_DIR", "")
    assert place() == beside

    def refuse(self):
        raise OSError("read only")

    monkeypatch.setattr(caching.InTreeCacheLocator, "ensure_cache_path", refuse)
    monkeypatch.setattr(caching.UserWideCacheLocator, "ensure_cache_path", lambda self: None)
    assert place().parent.name == "numba"


def test_the_names_and_files_on_the_page_are_there():
    for path in re.findall(r"`((?:tests|docs|visualize|tinygrad_cnn)/[\w/.]+)`", TEXT):
        assert (ROOT / path).exists(), path
    for command in re.findall(r"python -m ([\w.]+)", TEXT):
        assert importlib.util.find_spec(command), command
