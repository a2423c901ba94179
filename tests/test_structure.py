"""The floor plan, read from the source: imports between rooms, and the sizes of files."""

import ast
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_cnn
from tests.each import each
from tests.sizes import ceilings, code_lines, files_of, size

PACKAGE = Path(tinygrad_cnn.__file__).parent
ROOT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in FILES]

OURS = ("tinygrad_cnn", "visualize", "benchmarks")
HEAVY = ("scipy", "hypothesis", "graphviz", "matplotlib", "concurrent", "multiprocessing", "numba",
         "pathlib", "safetensors", "ml_dtypes", "tensorboardX", "PIL", "mpi4py")  # fmt: skip


@functools.cache
def imports(path):
    """(module, when) for each import in a file, relative ones made absolute.

    When: "import" time, when "called" (inside a function), or for "types" alone.
    """
    tree = ast.parse(path.read_text())
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    when = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            when |= {id(inner): "called" for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            when |= {id(inner): "types" for part in node.body for inner in ast.walk(part)}
    found = []
    for node in ast.walk(tree):
        at = when.get(id(node), "import")
        if isinstance(node, ast.Import):
            found += [(alias.name, at) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
            modules = [name for name in names if top(module) in OURS and is_module(name)]
            found += [(name, at) for name in modules]
            if len(modules) < len(names):
                found.append((module, at))
    return found


@functools.cache
def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def top(module):
    return module.split(".")[0]


def outside(path):
    """The packages that a file imports, except the standard library and this package."""
    return {top(m) for m, _ in imports(path)} - set(sys.stdlib_module_names) - {"tinygrad_cnn"}


def inside(path, *when):
    """The modules of this package that a file imports, at run time by default."""
    when = when or ("import", "called")
    return {m for m, at in imports(path) if top(m) == "tinygrad_cnn" and at in when}


@each(NAMES)
def test_packages_that_may_be_imported(name):
    allowed = {"numpy"}
    if name.startswith("testing/"):
        allowed |= {"hypothesis", "pytest"}
    if name.startswith("kernels/compiled"):
        allowed |= {"numba", "llvmlite"}
    if name.startswith("serialization/"):
        allowed |= {"safetensors", "ml_dtypes"}
    if name == "dtypes.py":
        allowed |= {"ml_dtypes"}
    if name == "compat/tensorboard.py":
        allowed |= {"tensorboardX"}
    if name.startswith("utils/datasets/"):
        allowed |= {"PIL"}
    if name.startswith("distributed/"):
        allowed |= {"mpi4py"}
    assert outside(PACKAGE / name) <= allowed


@each(NAMES)
def test_nothing_imports_visualize_or_torch(name):
    assert not {"visualize", "torch"} & {top(m) for m, _ in imports(PACKAGE / name)}


@each([n for n in NAMES if n.startswith("kernels/")])
def test_kernels_stand_on_numpy_and_one_file(name):
    others = inside(PACKAGE / name) - {"tinygrad_cnn.atomic"}
    assert all(m.startswith("tinygrad_cnn.kernels") for m in others)


@each([n for n in NAMES if n.startswith("testing/core/")])
def test_the_core_of_the_checks_imports_numpy_alone(name):
    assert outside(PACKAGE / name) <= {"numpy"}
    assert all(m.startswith("tinygrad_cnn.testing.core") for m in inside(PACKAGE / name))


@each([n for n in NAMES if not n.startswith("kernels/")])
def test_kernels_are_reached_by_their_contract_alone(name):
    assert not any(m.startswith("tinygrad_cnn.kernels.") for m in inside(PACKAGE / name))


@each([n for n in NAMES if not n.startswith("ops/")])
def test_ops_are_reached_by_what_their_room_exports(name):
    assert not any(m.startswith("tinygrad_cnn.ops.") for m in inside(PACKAGE / name))


@each([n for n in NAMES if n.startswith("kernels/")])
def test_no_set_of_kernels_imports_another(name):
    sets = {part for m in inside(PACKAGE / name) for part in m.split(".")[2:3]}
    assert sets & {"vectorized", "compiled"} <= {Path(name).parts[1]}


@each([n for n in NAMES if n.startswith("engine/")])
def test_the_engine_imports_numpy_itself_and_one_file(name):
    others = inside(PACKAGE / name) - {"tinygrad_cnn.atomic"}
    assert all(m.startswith("tinygrad_cnn.engine.") for m in others)


LAYERS = [  # each may import itself and earlier ones
    ("atomic",),
    ("compat.missing", "forks", "kernels", "naming"),  # what is missing, for every room above
    ("engine",),
    ("ops",),
    ("dtypes", "limits"),
    ("metadata", "printing", "random", "types"),
    ("functions", "inplace", "linalg", "ufuncs"),
    ("creation", "autograd"),
    ("methods", "conversion", "hooks", "sharing", "tensor", "typed"),
    ("nn",),
    ("distributions", "optim"),
    (
        "amp",
        "distributed",
        "func",
        "hub",
        "multiprocessing",
        "profiler",
        "serialization",
        "special",
        "utils",
    ),
    ("compat",),
    ("port", "testing"),
]
LEVEL = {name: k for k, layer in enumerate(LAYERS) for name in layer}
MISSING = ("compat", "compat.missing")  # one mechanism


def level(module):
    """The layer of a module, which is named from the package: `nn.conv`."""
    return LEVEL["compat.missing" if module in MISSING else module.split(".")[0]]


@each(NAMES)
def test_imports_run_down_only(name):
    part = name.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    if part == "__init__":
        return
    for module in inside(PACKAGE / name):
        _, _, used = module.partition(".")
        if used:
            assert level(used) <= level(part), f"{part} imports {module}"


@each(NAMES)
def test_for_types_alone_only_tensor_is_imported_from_above(name):
    part = name.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    for module in inside(PACKAGE / name, "types"):
        used = module.partition(".")[2]
        fits = module == "tinygrad_cnn.tensor" or part == "__init__" or level(used) <= level(part)
        fits |= (part, used) == (
            "nn.parallel",
            "distributed.data_parallel",
        )  # PyTorch's place for it
        assert fits, module


def modules_of(package):
    """The modules of a package, with their files."""
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@pytest.mark.parametrize("package", OURS)
def test_no_modules_import_each_other_in_a_circle(package):
    """Imports inside functions and for types alone included, but Tensor for types."""
    files = dict(modules_of(package))
    left = {
        name: {
            m
            for m, at in imports(path)
            if m in files and m != name and (m, at) != ("tinygrad_cnn.tensor", "types")
        }
        for name, path in files.items()
    }
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert left == {}, "these are in circles, or import modules that are"


@each([n for n in NAMES if not n.startswith("testing/")])
def test_nothing_imports_testing(name):
    assert not any(m.startswith("tinygrad_cnn.testing") for m in inside(PACKAGE / name))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Seconds of `import tinygrad_cnn` after NumPy, from bytecode, and the loaded modules."""
    code = """if True:
        import sys, time, numpy
        before = set(sys.modules)
        start = time.perf_counter()
        import tinygrad_cnn
        seconds = time.perf_counter() - start
        import json
        print(json.dumps([seconds, sorted(set(sys.modules) - before)]))
    """
    command = [sys.executable, "-W", "error", "-c", code]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("pycache"))
    for _ in range(2):
        out = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, check=True
        ).stdout
    return json.loads(out)


def test_importing_the_package_loads_nothing_heavy(fresh):
    assert [m for m in fresh[1] if top(m) in HEAVY] == []
    assert not any(m.startswith("tinygrad_cnn.testing") for m in fresh[1])


def test_importing_the_package_takes_little(fresh):
    assert fresh[0] < 0.5  # 0.03 s here; a machine under load may take longer


def names_of(path):
    """(module, name) for each name that a file imports from a module of this package."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            if top(module) in OURS:
                yield from ((module, alias.name) for alias in node.names)


@pytest.mark.parametrize("package", OURS)
def test_a_private_name_stays_in_its_file(package):
    """No file imports a name with an underscore from another file, and no file has such a name."""
    for module, path in modules_of(package):
        found = [f"{m}.{name}" for m, name in names_of(path) if "._" in f".{m}.{name}"]
        assert found == [], f"{module} imports private names"


# --- Sizes --------------------------------------------------------------------------------------


@each(NAMES)
def test_a_file_has_under_400_lines_of_code(name):
    assert code_lines(PACKAGE / name) < 400


@pytest.mark.parametrize("room", ceilings())
def test_a_room_keeps_under_its_ceiling(room):
    lines, ceiling = size(room), ceilings()[room]
    assert lines <= ceiling, (
        f"{room} has {lines} lines of code, its ceiling is {ceiling}: look for code that can go. If "
        "there is none, raise the ceiling in CONTRIBUTING.md, and say in the commit what it buys"
    )


def test_every_file_is_in_a_room_with_a_ceiling():
    rooms = {path for room in ceilings() for path in files_of(room)}
    files = {p for package in (*OURS, "examples") for p in (ROOT / package).rglob("*.py")}
    assert files <= rooms
