"""Updates of optimizers as keys, by which a set of kernels finds what it recorded of them."""

import math
from functools import lru_cache, wraps
from itertools import chain
from types import CodeType, FunctionType, ModuleType

import numpy as np

MOST_KEPT = 64  # an update that itself names the numbers of each step has a new key each time

# Types whose values are part of what is recorded: their repr identifies them.
SETTLED = {int, float, bool, str, type(None)}


def key_of(update):
    """A key of the update: its code and all that the code refers to.

    Raises TypeError if it refers to something that may change. NumPy's and math's own functions
    do not change; attributes of other modules and of classes may.
    """
    if type(update) is not FunctionType or update.__kwdefaults__:
        raise TypeError
    code, outer, key = update.__code__, update.__globals__, [update.__code__]
    values = [cell.cell_contents for cell in update.__closure__ or ()]
    values += update.__defaults__ or ()
    for name in _names(code):
        value = outer.get(name, getattr(np, name, None))
        if name in outer or isinstance(value, ModuleType):  # np.random is no function
            values.append(value)
    for value in values:
        if type(value) in SETTLED:
            key.append((type(value), value or repr(value)))  # 0.0 and −0.0 differ
        elif type(value) is FunctionType:
            key.append(key_of(value))
        elif type(value) is np.ufunc or value is np or value is math:
            key.append(value)
        else:
            raise TypeError
    return tuple(key)


def kept(make):
    """`make(update, *counts)` for that many arrays, spare arrays and numbers, kept by the update's key.

    The function returns None for an update without a key, and for one that `make` cannot record.
    """
    found: dict = {}

    @wraps(make)
    def get(update, *counts):
        try:
            key = key_of(update), *counts
        except (TypeError, ValueError, RecursionError):  # an empty cell; a function of itself
            return None
        if key not in found:
            if len(found) >= MOST_KEPT:
                found.clear()
            try:
                found[key] = make(update, *counts)
            except Exception:  # it does something with an array that a stand-in does not support
                found[key] = None
        return found.get(key)  # another thread may have cleared it

    return get


@lru_cache(maxsize=256)
def _names(code):
    """The globals and attributes that the code names, and those of the functions in it."""
    inner = [_names(const) for const in code.co_consts if isinstance(const, CodeType)]
    return {*code.co_names, *chain(*inner)}
