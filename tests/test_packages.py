"""The wheel has the packages and nothing else; the source distribution has the whole repository."""

import configparser
import fnmatch
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

import tinygrad_cnn

setuptools = pytest.importorskip("setuptools", minversion="77")  # what pyproject.toml asks for

ROOT = Path(__file__).parents[1]
NOTES = ("tinygrad_cnn/kernels/NOTES.md",)  # for those who change kernels: not installed
BUILD = """
import sys
from setuptools import build_meta
build_meta.build_{kind}(sys.argv[1])
"""


def repository():
    """The paths of all files that belong to the repository, from its root."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists() and shutil.which("git"):
        found = subprocess.run(git, cwd=ROOT, check=True, capture_output=True).stdout.decode()
        return {name for name in found.split("\0") if name and (ROOT / name).is_file()}
    ignored = (ROOT / ".gitignore").read_text().split()
    names = set()
    for folder, inner, files in os.walk(ROOT):
        at = Path(folder).relative_to(ROOT)
        inner[:] = [name for name in inner if not is_ignored(f"{name}/", ignored)]
        names |= {(at / name).as_posix() for name in files if not is_ignored(name, ignored)}
    return {name for name in names if not is_ignored(f"/{name}", ignored)} - {"PKG-INFO"}


def is_ignored(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(the source distribution, the wheel, the unpacked source distribution): built without network.

    The source distribution is built from a copy of the repository, and the wheel from the unpacked
    source distribution, as pip does.
    """
    at = tmp_path_factory.mktemp("built")
    tree = at / "tree"
    for name in repository():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    sdist = build("sdist", tree, at / "out")
    with tarfile.open(sdist) as archive:
        archive.extractall(at / "unpacked", filter="data")
    [unpacked] = (at / "unpacked").iterdir()
    wheel = build("wheel", unpacked, at / "out")
    yield sdist, wheel, unpacked
    shutil.rmtree(at)


def build(kind, tree, out):
    """Run a hook of the build backend in a folder. Returns the file that it made."""
    out.mkdir(exist_ok=True)
    before = set(out.iterdir())
    command = [sys.executable, "-c", BUILD.format(kind=kind), str(out)]
    run = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    [made] = set(out.iterdir()) - before
    return made


def test_the_source_distribution_is_the_repository(built):
    _, _, unpacked = built
    files = {f.relative_to(unpacked).as_posix() for f in unpacked.rglob("*") if f.is_file()}
    made = {"PKG-INFO"} | {f for f in files if f.startswith(("tinygrad_cnn.egg-info/", "build/"))}
    assert files - made == repository()
    wrong = [n for n in repository() - {"setup.cfg"}
             if (unpacked / n).read_bytes() != (ROOT / n).read_bytes()]  # fmt: skip
    assert wrong == []
    before, after = configparser.ConfigParser(), configparser.ConfigParser()
    before.read(ROOT / "setup.cfg")
    after.read(unpacked / "setup.cfg")
    assert {s: dict(before[s]) for s in before.sections()} == {
        s: dict(after[s]) for s in after.sections() if s != "egg_info"  # setuptools adds this one
    }  # fmt: skip


def test_the_source_distribution_has_no_links_and_no_rights_to_give(built):
    with tarfile.open(built[0]) as archive:
        members = archive.getmembers()
    assert {m.name.split("/")[0] for m in members} == {f"tinygrad_cnn-{tinygrad_cnn.__version__}"}
    assert [m.name for m in members if not (m.isfile() or m.isdir())] == []
    assert [m.name for m in members if m.mode & 0o6022] == []  # set-id, writable by others


def test_the_wheel_has_exactly_the_packages(built):
    with zipfile.ZipFile(built[1]) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        installed = {name: archive.read(name) for name in names if ".dist-info/" not in name}
    assert len(names) == len(set(names))
    packages = ("tinygrad_cnn/", "visualize/")
    wanted = {name for name in repository() if name.startswith(packages)} - set(NOTES)
    assert installed.keys() == wanted | {"tinygrad_cnn_pytest.py"}
    suffixes = {Path(name).suffix for name in installed}
    assert suffixes <= {".py", ".pyi", ".txt", ".md", ".typed", ".js", ".html", ".css"}
    assert [n for n, data in installed.items() if data != (ROOT / n).read_bytes()] == []


def test_the_wheel_says_what_it_needs(built):
    info = f"tinygrad_cnn-{tinygrad_cnn.__version__}.dist-info"
    with zipfile.ZipFile(built[1]) as archive:
        ours = {n.removeprefix(f"{info}/") for n in archive.namelist() if n.startswith(info)}
        metadata = BytesParser().parsebytes(archive.read(f"{info}/METADATA"))
        kind = BytesParser().parsebytes(archive.read(f"{info}/WHEEL"))
        points = archive.read(f"{info}/entry_points.txt").decode()
    assert ours == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt",
    }  # fmt: skip
    assert kind["Root-Is-Purelib"] == "true"
    assert kind["Tag"] == "py3-none-any"
    assert metadata["Requires-Python"] == ">=3.11"
    needs = {n for n in metadata.get_all("Requires-Dist") if "extra ==" not in n}
    assert needs == {"numpy>=2.1", "graphviz>=0.20", "graphviz-pure>=0.2.2"}
    assert points.split("\n", 1)[0] == "[pytest11]"
    assert points.strip().splitlines()[1:] == ["tinygrad_cnn = tinygrad_cnn_pytest"]


def test_names_that_are_not_the_repository_are_ignored():
    ignored = (ROOT / ".gitignore").read_text().split()
    for name in ("__pycache__/", "x.egg-info/", ".venv/", "x.pyc", "/digits.svg"):
        assert is_ignored(name, ignored), name
    for name in ("tests/", "/tests/digits.svg", "setup.cfg"):
        assert not is_ignored(name, ignored), name
