"""Our strategies mirror the ops: one file for each family of ops."""

import json
import pkgutil
import subprocess
import sys

from tinygrad_cnn import ops
from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import ours

SHARED = {"forms", "indices", "taps"}  # families have these in common

FAMILIES = {}
for name, op in registry.items():
    package, _, family = op.forward.__module__.rpartition(".")
    if package == ops.__name__:
        FAMILIES.setdefault(family, set()).add(name)


def test_each_family_of_ops_has_a_module_of_its_name():
    modules = {module.name for module in pkgutil.iter_modules(ours.__path__)}
    assert modules - SHARED == set(FAMILIES)


def test_a_module_registers_exactly_the_ops_of_its_family():
    code = (
        "import importlib, json, sys\n"
        "from tinygrad_cnn.testing import entries, ours\n"
        "found = {}\n"
        "for family in sys.argv[1:]:\n"
        "    before = set(entries.registered)\n"
        "    importlib.import_module(f'{ours.__name__}.{family}')\n"
        "    found[family] = list(set(entries.registered) - before)\n"
        "print(json.dumps(found))\n"
    )
    command = [sys.executable, "-c", code, *sorted(FAMILIES)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert {family: set(names) for family, names in json.loads(printed).items()} == FAMILIES
