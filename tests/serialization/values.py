"""Values to save, and what it means that they come back."""

import io
from collections import Counter, OrderedDict

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_cnn as tc


def saved(value):
    """The bytes of a file that holds the value."""
    file = io.BytesIO()
    tc.save(value, file)
    return file.getvalue()


def through(value):
    return tc.load(io.BytesIO(saved(value)))


def alike(a, b):
    """The same types, dtypes, shapes and bits, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tc.Tensor):
        return a.requires_grad == b.requires_grad and alike(a.detach().numpy(), b.detach().numpy())
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        pairs = zip(a.items(), b.items(), strict=False)
        return (
            len(a) == len(b)
            and all(alike(k, m) and alike(v, w) for (k, v), (m, w) in pairs)
            and alike(getattr(a, "_metadata", None), getattr(b, "_metadata", None))
        )
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, (set, frozenset)):
        return a == b
    return repr(a) == repr(b)  # nan too


DTYPES = [
    np.dtype(t)
    for t in ("?", *(f"{kind}{n}" for kind in "iu" for n in (1, 2, 4, 8)), "f2", "f4", "f8")
]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=3))
)
tensors = arrays.map(tc.tensor)
numbers = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers()
plain = (
    numbers | st.text(max_size=5) | st.binary(max_size=5)
    | st.binary(max_size=3).map(bytearray) | st.sampled_from([tc.device("cpu"), tc.float16])
    | st.lists(st.integers(0, 9), max_size=3).map(tc.Size)
)  # fmt: skip
keys = (st.none() | st.booleans() | st.integers() | st.text(max_size=5)) | st.tuples(
    st.integers(), st.text(max_size=2)
)
nests = st.recursive(
    plain | arrays | tensors | arrays.map(lambda a: a.reshape(-1)[:1].sum()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=2).map(OrderedDict)
        | st.sets(keys, max_size=2)
        | st.frozensets(keys, max_size=2)
        | st.dictionaries(keys, st.integers(), max_size=2).map(Counter)
    ),
    max_leaves=8,
)
