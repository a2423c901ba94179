"""PyTorch draws the numbers of this package during a run, from every function that scripts call."""

import numpy as np
import pytest

import tinygrad_cnn as tc

from .randomness import seeded

torch = pytest.importorskip("torch")

SETUP = """
data = lib.utils.data
numbered = data.TensorDataset(lib.arange(10))
class Stream(data.IterableDataset):
    def __iter__(self):
        return iter(lib.rand(5))
class Drawing(Stream):
    def __iter__(self):
        for _ in range(5):
            yield lib.rand(2)
class Noisy(data.Dataset):
    def __len__(self):
        return 6
    def __getitem__(self, i):
        return i + lib.rand(2)
def batches(dataset, **options):
    return [b if lib.is_tensor(b) else b[0] for b in data.DataLoader(dataset, **options)]
generator = lambda: lib.Generator().manual_seed(3)
weights = lib.tensor([0.1, 0.4, 0.0, 0.5])
"""

DRAWS = [
    "lib.rand(2, 3)",
    "lib.randn((3,), dtype=lib.float32)",
    "lib.randn(3, generator=generator())",
    "lib.rand_like(lib.ones(2, 2))",
    "lib.randn_like(lib.ones(2, dtype=lib.float32))",
    "lib.normal(0.0, 2.0, (3,))",
    "lib.normal(lib.zeros(2, 1), lib.ones(3))",
    "lib.normal(lib.zeros(2), 0.5)",
    "lib.bernoulli(lib.full((8,), 0.4, dtype=lib.float32))",
    "lib.randint(5, (4,))",
    "lib.randint(2, 5, (2, 2))",
    "lib.randperm(6)",
    "lib.randperm(6, generator=generator())",
    "lib.multinomial(weights, 5, replacement=True)",
    "lib.multinomial(lib.stack([weights, weights]), 2)",
    "weights.multinomial(2)",
    "lib.empty(3).uniform_(-1, 1)",
    "lib.empty(3, dtype=lib.float32).normal_(1, 0.1)",
    "lib.empty(9).bernoulli_(0.3)",
    "lib.empty(3).exponential_(2)",
    "lib.empty(4, dtype=lib.int64).random_(7)",
    "lib.empty(4).random_(2, 9)",
    "lib.nn.init.orthogonal_(lib.empty(2, 5, dtype=lib.float32))",
    "lib.nn.init.orthogonal_(lib.empty(5, 2))",
    "lib.nn.init.kaiming_normal_(lib.empty(2, 3, dtype=lib.float32))",
    "lib.nn.Linear(3, 2).bias",
    "lib.nn.functional.dropout(lib.ones(8, dtype=lib.float32), 0.3)",
    "lib.nn.functional.dropout2d(lib.ones(2, 4, 2, 2), 0.5)",
    "batches(numbered, batch_size=4, shuffle=True)",
    "batches(numbered, batch_size=4, shuffle=True, generator=generator())",
    "batches(numbered, batch_size=4, drop_last=True)",
    "batches(Noisy(), batch_size=4, shuffle=True)",
    "batches(Noisy(), batch_size=2, num_workers=2)",
    "batches(Stream(), batch_size=2)",
    "batches(Drawing(), batch_size=2)",
    "batches(numbered, sampler=data.WeightedRandomSampler(lib.arange(10.0), 4))",
    "batches(numbered, sampler=data.SubsetRandomSampler([1, 3, 5, 7]))",
    "batches(numbered, sampler=data.RandomSampler(numbered, replacement=True, num_samples=12))",
    "batches(numbered, sampler=data.RandomSampler(numbered, num_samples=25), batch_size=9)",
    "[lib.tensor(s.indices) for s in data.random_split(numbered, [7, 3])]",
    "[lib.tensor(s.indices) for s in data.random_split(numbered, [0.5, 0.5], generator=generator())]",
]


@pytest.mark.parametrize("code", DRAWS)
def test_draws_are_the_same(code):
    given, wanted = drawn(tc, code), drawn(torch, code)
    assert len(given) == len(wanted)
    for here, there in zip(given, wanted, strict=True):
        assert here.dtype == there.dtype
        np.testing.assert_allclose(here, there, rtol=1e-6 if here.dtype == np.float32 else 1e-12)


def drawn(library, code):
    """The results of an expression, twice in a row, and of one draw after it."""
    before = library.get_default_dtype()
    library.set_default_dtype(library.float64)
    scope = {"lib": library}
    exec(SETUP, scope)
    try:
        with seeded(library, 7):
            found = [eval(code, scope), eval(code, scope), library.rand(1)]
    finally:
        library.set_default_dtype(before)
    flat = [x for item in found for x in (item if isinstance(item, list) else [item])]
    return [x.detach().numpy().copy() for x in flat]
