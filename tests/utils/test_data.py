"""Data sets, samplers and loaders: order, batches, and equal results of the fast path."""

import threading
import time
from collections import OrderedDict, namedtuple
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    get_worker_info,
    random_split,
)

seeds = st.integers(0, 2**32)


class Squares(Dataset):
    """A data set without tensors: i and its square."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        return i, {"square": float(i * i), "name": str(i)}


class Stream(IterableDataset):
    """0, 1, 2 .., each with a random number."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        assert get_worker_info() is None, "there is one stream for all workers"
        return ((i, float(tc.rand(()))) for i in range(self.n))


class Drawn(Dataset):
    """The numbers that a data set draws with each function of random numbers."""

    def __len__(self):
        return 12

    def __getitem__(self, i):
        first = tc.rand(2)
        tc.manual_seed(i)
        return i, first, tc.randn(1), tc.randperm(5)


def seeded(seed):
    return tc.Generator().manual_seed(seed)


def tensors(n, seed=0):
    rng = np.random.default_rng(seed)
    images = tc.tensor(rng.standard_normal((n, 2, 3)).astype(np.float32))
    return TensorDataset(images, tc.tensor(rng.integers(0, 9, n)))


def equal(a, b):
    """Whether two batches are equal, nested lists, types and shapes included."""
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    return a.dtype == b.dtype and a.equal(b)


# --- The loader -----------------------------------------------------------------------------------


@given(st.integers(1, 20), st.integers(1, 7), st.booleans(), st.booleans(), seeds,
       st.sampled_from([0, 2]))  # fmt: skip
def test_a_tensor_dataset_is_batched_at_one_go_with_the_same_result(
    n, size, shuffle, drop_last, seed, workers
):
    data = tensors(n, seed)
    settings = {"batch_size": size, "shuffle": shuffle, "drop_last": drop_last}
    fast = DataLoader(data, **settings, num_workers=workers, generator=seeded(seed))
    slow = DataLoader(data, **settings, collate_fn=lambda samples: default_collate(samples),
                      generator=seeded(seed))  # fmt: skip
    batches, wanted = list(fast), list(slow)
    assert len(fast) == len(batches) == len(wanted) == (n // size if drop_last else -(-n // size))
    assert all(map(equal, batches, wanted))
    for x, _ in batches:
        assert not np.shares_memory(x.numpy(), data.tensors[0].numpy())


@given(st.integers(3, 20), st.integers(1, 7), seeds)
def test_subsets_of_subsets_too(n, size, seed):
    rng = np.random.default_rng(seed)
    once = Subset(tensors(n, seed), rng.permutation(n)[: n - 1].tolist())
    twice = Subset(once, rng.integers(0, n - 1, n))
    for data in (once, twice):
        fast = list(DataLoader(data, size))
        slow = list(DataLoader(data, size, collate_fn=lambda samples: default_collate(samples)))
        assert all(map(equal, fast, slow))
        assert len(fast) == len(slow)


def test_what_a_subclass_does_to_samples_is_not_passed_over():
    class Doubled(TensorDataset):
        def __getitem__(self, index):
            return self.tensors[0][index] * 2

    class Flipped(Subset):
        def __getitem__(self, index):
            return super().__getitem__(index)[0] * -1

    data = Doubled(tc.tensor([1.0, 2.0]))
    (batch,) = DataLoader(data, 2)
    assert batch.tolist() == [2.0, 4.0]
    (batch,) = DataLoader(Subset(data, [1]), 2)
    assert batch.tolist() == [4.0]
    (batch,) = DataLoader(Flipped(TensorDataset(tc.tensor([1.0, 2.0])), [0, 1]), 2)
    assert batch.tolist() == [-1.0, -2.0]


@given(seeds, st.integers(2, 30))
def test_the_order_is_a_function_of_the_seed_and_new_each_epoch(seed, n):
    loader = DataLoader(range(n), 4, shuffle=True, generator=seeded(seed))
    epochs = [[i for batch in loader for i in batch.tolist()] for _ in range(3)]
    again = DataLoader(range(n), 4, shuffle=True, generator=seeded(seed), num_workers=3)
    assert epochs == [[i for batch in again for i in batch.tolist()] for _ in range(3)]
    assert all(sorted(epoch) == list(range(n)) for epoch in epochs)
    if n > 10:
        assert epochs[0] != epochs[1]


def test_the_default_generator_orders_where_none_is_given():
    loader = DataLoader(range(20), 20, shuffle=True)
    tc.manual_seed(4)
    first = next(iter(loader)).tolist()
    second = next(iter(loader)).tolist()
    tc.manual_seed(4)
    assert next(iter(loader)).tolist() == first != second


def test_batches_of_what_is_no_tensor():
    batches = list(DataLoader(Squares(3), 2))
    (numbers, rest), (last, _) = batches
    assert numbers.tolist() == [0, 1]
    assert rest["square"].tolist() == [0.0, 1.0]
    assert rest["name"] == ["0", "1"]
    assert last.tolist() == [2]
    assert list(DataLoader(range(3), None)) == [0, 1, 2]
    assert list(DataLoader(["a", "b"], None, collate_fn=str.upper)) == ["A", "B"]
    assert list(DataLoader(range(5), sampler=[4, 0], batch_size=1, collate_fn=list)) == [[4], [0]]
    loader = DataLoader(range(5), batch_sampler=[[0, 1, 2], [4]], collate_fn=sum)
    assert list(loader) == [3, 4]
    assert len(loader) == 2


def test_a_dataset_that_fetches_lists_is_asked_for_lists():
    class Fetch(Squares):
        def __getitems__(self, indices):
            return [i * 10 for i in indices]

    assert [b.tolist() for b in DataLoader(Fetch(3), 2)] == [[0, 10], [20]]


def test_gradients_flow_to_tensors_that_require_them():
    x = tc.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for workers in (0, 1):
        ((batch,),) = DataLoader(TensorDataset(x), 3, num_workers=workers)
        (batch * tc.tensor([1.0, 2.0, 3.0])).sum().backward()
        assert x.grad.tolist() == [1.0, 2.0, 3.0]
        x.grad = None
        with tc.no_grad():
            ((batch,),) = DataLoader(TensorDataset(x), 3, num_workers=workers)
        assert not batch.requires_grad


# --- Threads --------------------------------------------------------------------------------------


@pytest.fixture
def quiet():
    """No thread stays alive."""
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def everything(loader):
    """Two passes, and a number drawn after each batch, as a model with dropout would."""
    found = []
    for _ in range(2):
        for batch in loader:
            found.append((batch, tc.rand(1).item()))
    return found


def same(a, b):
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a.equal(b) if isinstance(a, tc.Tensor) else a == b


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("make", [
    lambda **k: DataLoader(Drawn(), 5, shuffle=True, **k),
    lambda **k: DataLoader(Drawn(), 5, sampler=RandomSampler(range(12), num_samples=30), **k),
    lambda **k: DataLoader(Drawn(), None, sampler=WeightedRandomSampler([1.0] * 12, 9), **k),
    lambda **k: DataLoader(Stream(10), 4, **k),
    lambda **k: DataLoader(Stream(3), None, **k),
])  # fmt: skip
def test_batches_are_a_function_of_the_seed_alone(make):
    """For every function that draws, and every number of threads."""
    found = []
    for workers in (0, 1, 3):
        more = {"prefetch_factor": 1} if workers == 3 else {}
        tc.manual_seed(5)
        found.append(everything(make(num_workers=workers, **more)))
    assert same(found[0], found[1])
    assert same(found[0], found[2])
    first, second = found[0][: len(found[0]) // 2], found[0][len(found[0]) // 2 :]
    assert not same(first, second), "a pass is not as the one before"


class Broken(Squares):
    def __getitem__(self, i):
        if i == 5:
            raise LookupError("sample 5 is broken")
        return i


@pytest.mark.usefixtures("quiet")
def test_an_error_in_a_thread_comes_where_its_batch_would():
    seen = []
    with pytest.raises(LookupError, match="sample 5 is broken") as caught:
        for batch in DataLoader(Broken(9), 2, num_workers=2):
            seen.append(batch.tolist())
    assert seen == [[0, 1], [2, 3]]
    assert "__getitem__" in [entry.name for entry in caught.traceback]
    assert caught.value.__notes__[0].endswith("batch 2)")


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("workers", [0, 2])
def test_errors_of_samplers_and_streams(workers):
    def numbers():
        yield 0
        raise LookupError("no more numbers")

    class Numbers:
        __iter__ = staticmethod(numbers)

    class Bad(IterableDataset):
        def __iter__(self):
            return numbers()

    for make in (lambda: DataLoader(range(9), sampler=Numbers(), num_workers=workers),
                 lambda: DataLoader(Bad(), num_workers=workers)):  # fmt: skip
        seen = []
        with pytest.raises(LookupError, match="no more numbers"):
            for batch in make():
                seen += batch.tolist()
        assert seen == [0]


@pytest.mark.usefixtures("quiet")
def test_leaving_early_stops_the_threads():
    for batch in DataLoader(Broken(4), 1, num_workers=2, prefetch_factor=1):
        assert batch.tolist() == [0]
        break
    never_begun = iter(DataLoader(Broken(4), 1, num_workers=2))
    del never_begun


@pytest.mark.usefixtures("quiet")
def test_no_more_is_loaded_ahead_than_asked_for():
    loaded = []

    class Counted(Squares):
        def __getitem__(self, i):
            loaded.append(i)
            return i

    batches = iter(DataLoader(Counted(50), 1, num_workers=2, prefetch_factor=3))
    for taken in range(1, 4):
        next(batches)
        time.sleep(0.05)
        assert len(loaded) <= taken + 6
    batches.close()


@pytest.mark.usefixtures("quiet")
def test_workers_know_who_they_are():
    class Who(Squares):
        who = None

        def __getitem__(self, i):
            info = get_worker_info()
            assert info.dataset is self
            assert self.who == info.id, "worker_init_fn sets up a copy for each worker"
            time.sleep(0.01)
            return info.id, info.num_workers, info.seed

    def begin(number):
        assert get_worker_info().id == number
        get_worker_info().dataset.who = number
        tc.rand(1)  # from another generator

    data = Who(12)
    loader = DataLoader(data, 1, num_workers=2, worker_init_fn=begin, persistent_workers=True,
                        pin_memory=True, multiprocessing_context="fork")  # fmt: skip
    found = {tuple(int(x) for x in batch) for batch in loader}
    assert {(number, of) for number, of, _ in found} <= {(0, 2), (1, 2)}
    assert len({seed - number for number, _, seed in found}) == 1
    assert data.who is None
    assert get_worker_info() is None
    with pytest.raises(ZeroDivisionError):
        list(DataLoader(data, 1, num_workers=2, worker_init_fn=lambda number: number / 0))


def test_a_batch_that_takes_too_long():
    class Slow(Squares):
        def __getitem__(self, i):
            return i if i == 0 else release.wait(5)

    release, before = threading.Event(), threading.active_count()
    batches = iter(DataLoader(Slow(3), 1, num_workers=1, timeout=0.2))
    assert next(batches).tolist() == [0]
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0.2 seconds"):
        next(batches)
    release.set()
    while threading.active_count() > before:
        time.sleep(0.01)


# --- Streams --------------------------------------------------------------------------------------


@given(st.integers(0, 20), st.integers(1, 7), st.booleans(), st.sampled_from([0, 2]))
def test_streams_are_batched_once_in_order(n, size, drop_last, workers):
    class Sized(Stream):
        def __len__(self):
            return self.n

    loader = DataLoader(Sized(n), size, drop_last=drop_last, num_workers=workers)
    numbers = [batch[0].tolist() for batch in loader]
    assert len(numbers) == len(loader) == (n // size if drop_last else -(-n // size))
    assert [i for some in numbers for i in some] == list(range(n))[
        : n // size * size if drop_last else n
    ]
    with pytest.raises(TypeError):
        len(DataLoader(Stream(n), size))


def test_chains_of_streams():
    both = Stream(2) + Stream(3)
    assert [i for i, _ in both] == [0, 1, 0, 1, 2]
    assert isinstance(both, ChainDataset)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: DataLoader([1], 0), ValueError, "positive integer value, but got batch_size=0"),
        (lambda: DataLoader([1], 2.0), ValueError, "batch_size=2.0"),
        (lambda: DataLoader([1], shuffle=True, sampler=[0]), ValueError, "exclusive with shuffle"),
        (lambda: DataLoader([1], 2, batch_sampler=[[0]]), ValueError, "batch_sampler option is"),
        (lambda: DataLoader([1], None, drop_last=True), ValueError, "batch_size=None option"),
        (lambda: DataLoader([1], num_workers=-1), ValueError, "should be non-negative"),
        (lambda: DataLoader([1], timeout=-1), ValueError, "timeout option should be non-neg"),
        (lambda: DataLoader([1], prefetch_factor=2), ValueError, "prefetch_factor option could"),
        (lambda: DataLoader([1], num_workers=1, prefetch_factor=0), ValueError, "be non-neg"),
        (lambda: DataLoader([1], persistent_workers=True), ValueError, "needs num_workers > 0"),
        (lambda: DataLoader(iter([1])), TypeError, "list_iterator is no data set"),
        (lambda: DataLoader(Stream(1), shuffle=True), ValueError,
         "expected unspecified shuffle option, but got shuffle=True"),
        (lambda: DataLoader(Stream(1), sampler=[1]), ValueError, "unspecified sampler option"),
        (lambda: DataLoader(Stream(1), batch_sampler=[[1]]), ValueError, "unspecified batch_sa"),
        (lambda: ChainDataset([[1]]), TypeError, "only supports IterableDataset"),
        (lambda: ConcatDataset([Stream(1)]), TypeError, "does not support IterableDataset"),
        (lambda: iter(IterableDataset()), NotImplementedError, "defines no __iter__"),
        (lambda: WeightedRandomSampler([1.0], 0), ValueError, "positive integer value, but got num"),
        (lambda: WeightedRandomSampler([1.0], 1, 2), ValueError, "a boolean value, but got repl"),
        (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, "weights should be a 1d sequence"),
        (lambda: iter(WeightedRandomSampler([1.0, -1], 1)), RuntimeError, "probability tensor"),
        (lambda: iter(WeightedRandomSampler([0.0], 1)), RuntimeError, "sum of probabilities <= 0"),
        (lambda: iter(WeightedRandomSampler([1.0, 0], 2, False)), RuntimeError,
         "with replacement=False, not enough"),
        (lambda: default_collate([np.array(["a"])]), TypeError, "found <class 'numpy.ndarray'>"),
        (lambda: DataLoader([], shuffle=True), ValueError, "num_samples=0"),
        (lambda: TensorDataset(tc.ones(2), tc.ones(3)), ValueError,
         r"Size mismatch between tensors: \(2,\), \(3,\)"),
        (lambda: TensorDataset(), TypeError, "one or more Tensors"),
        (lambda: TensorDataset([1, 2]), TypeError, "one or more Tensors"),
        (lambda: ConcatDataset([]), ValueError, "should not be an empty iterable"),
        (lambda: ConcatDataset([[1], [2]])[2], IndexError, "index 2 is out of range for 2"),
        (lambda: RandomSampler([1], replacement=3), TypeError, "but got replacement=3"),
        (lambda: RandomSampler([1], num_samples=0), ValueError, "but got num_samples=0"),
        (lambda: BatchSampler([1], 1, 3), ValueError, "but got drop_last=3"),
        (lambda: random_split([1, 2], [1, 2]), ValueError, "Sum of input lengths"),
        (lambda: random_split([1, 2], [0.5, 0.6]), ValueError, "counts or fractions"),
        (lambda: random_split([1, 2], [3, -1]), ValueError, "counts or fractions"),
        (lambda: random_split([1, 2], [1.5, -0.5]), ValueError, "Fraction at index 0 is not"),
        (lambda: default_collate([object()]), TypeError, "found <class 'object'>"),
        (lambda: default_collate([(1, 2), (1,)]), RuntimeError, "should be of equal size"),
        (lambda: default_collate([tc.ones(2), tc.ones(3)]), RuntimeError, "equal size"),
        (lambda: Dataset()[0], NotImplementedError, "Dataset defines no __getitem__"),
        (lambda: iter(Sampler()), NotImplementedError, "Sampler defines no __iter__"),
    ],
)  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


# --- The parts ------------------------------------------------------------------------------------


def test_datasets():
    data = tensors(4)
    x, y = data[2]
    assert x.equal(data.tensors[0][2])
    assert y.shape == ()
    assert len(TensorDataset(np.ones((3, 2)))) == 3
    both = data + Squares(2)
    assert len(both) == 6
    assert both[4] == both[-2] == (0, {"square": 0.0, "name": "0"})
    assert equal(both[3], data[3])
    assert ConcatDataset([[], [1], [], [2, 3]])[2] == 3
    assert [*Subset("abcd", [3, 1])] == ["d", "b"]

    class Fetch(Squares):
        def __getitems__(self, indices):
            return [i * 10 for i in indices]

    assert [b.tolist() for b in DataLoader(Subset(Fetch(5), [3, 1]), 2)] == [[30, 10]]


@given(st.integers(0, 40), st.lists(st.integers(1, 5), min_size=1, max_size=4), seeds)
def test_random_split_by_fractions(n, weights, seed):
    fractions = [w / sum(weights) for w in weights]
    data = range(n)
    if any(int(n * f) == 0 for f in fractions):
        data = range(n + 40)
    parts = random_split(data, fractions, seeded(seed))
    found = [i for part in parts for i in part]
    assert sorted(found) == list(data)
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * len(data)) <= len(parts)
    counts = [len(part) for part in parts]
    again = random_split(data, counts, seeded(seed))
    assert [[*part] for part in again] == [[*part] for part in parts]


def test_random_split_recorded_lengths_of_pytorch_and_an_empty_part():
    assert [len(p) for p in random_split(range(10), [0.55, 0.25, 0.2])] == [6, 2, 2]
    assert [len(p) for p in random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    assert [len(p) for p in random_split(range(3), [3, 0])] == [3, 0]
    with pytest.warns(UserWarning, match="split at index 1 is 0"):
        random_split(range(1), [0.5, 0.5])


@given(seeds, st.integers(1, 9), st.integers(1, 25))
def test_random_sampler(seed, n, count):
    data = range(n)
    numbers = list(RandomSampler(data, num_samples=count, generator=seeded(seed)))
    assert len(numbers) == count == len(RandomSampler(data, num_samples=count))
    for begin in range(0, count - n + 1, n):
        assert sorted(numbers[begin : begin + n]) == list(data)
    drawn = list(RandomSampler(data, True, count, seeded(seed)))
    assert len(drawn) == count
    assert set(drawn) <= set(data)
    assert all(type(i) is int for i in drawn + numbers)


def test_sequential_and_batch_samplers():
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert len(SequentialSampler("abc")) == 3
    assert list(BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert len(BatchSampler(range(5), 2, True)) == 2
    assert len(BatchSampler(range(5), 2, False)) == 3


@given(seeds, st.integers(0, 9))
def test_subset_random_sampler(seed, n):
    numbers = [i * 10 for i in range(n)]
    sampler = SubsetRandomSampler(numbers, seeded(seed))
    assert sorted(sampler) == numbers
    assert len(sampler) == n
    assert list(SubsetRandomSampler(numbers, seeded(seed))) == list(
        SubsetRandomSampler(numbers, seeded(seed))
    )


def test_weighted_random_sampler():
    numbers = list(WeightedRandomSampler(tc.tensor([1.0, 0.0, 3.0]), 4000, generator=seeded(0)))
    assert numbers.count(1) == 0
    assert abs(numbers.count(2) - 3000) < 120  # more than four standard deviations
    once = list(WeightedRandomSampler([1, 0, 3, 1], 3, replacement=False))
    assert sorted(once) == [0, 2, 3]
    assert all(type(i) is int for i in once)


Pair = namedtuple("Pair", ["a", "b"])


def test_default_collate_keeps_forms_and_dtypes():
    pair = default_collate([Pair(1.5, True), Pair(2, False)])
    assert type(pair) is Pair
    assert pair.a.dtype == tc.float64
    assert pair.b.dtype == tc.bool
    assert default_collate([[1, 2], [3, 4]])[0].tolist() == [1, 3]
    stacked = default_collate([np.ones((2, 3), np.float32)] * 4)
    assert stacked.shape == (4, 2, 3)
    assert stacked.dtype == tc.float32
    assert default_collate([np.float32(1), np.float32(2)]).dtype == tc.float32
    assert default_collate([tc.tensor(1), tc.tensor(2)]).tolist() == [1, 2]
    assert default_collate(["a", "b"]) == ["a", "b"]
    ordered = default_collate([OrderedDict(b=1, a=2)] * 2)
    assert type(ordered) is OrderedDict
    assert list(ordered) == ["b", "a"]
    assert type(default_collate([MappingProxyType({"x": 1})])) in (MappingProxyType, dict)
    converted = default_convert({"x": np.ones(2), "y": (1, "a", Pair(np.float32(2), None))})
    assert converted["x"].equal(tc.ones(2, dtype=tc.float64))
    assert converted["y"][:2] == [1, "a"]
    assert converted["y"][2].a.dtype == tc.float32
    assert next(iter(DataLoader([np.ones(2)], None))).tolist() == [1.0, 1.0]
    nested = default_collate([{"x": (1, "a")}, {"x": (2, "b")}])
    assert nested["x"][0].tolist() == [1, 2]
    assert nested["x"][1] == ("a", "b")


@pytest.mark.parametrize("cls", [Dataset, IterableDataset, ChainDataset, ConcatDataset, DataLoader,
                                 Sampler, Subset, TensorDataset])  # fmt: skip
def test_types_of_samples_can_be_named(cls):
    assert cls[int].__args__ == (int,)
    assert cls[int].__origin__ is cls


@pytest.mark.parametrize(
    "name",
    ["batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"],
)
def test_a_loader_is_not_changed_later_where_that_has_no_effect(name):
    loader = DataLoader(TensorDataset(tc.arange(5)), batch_size=2)
    with pytest.raises(ValueError, match=f"{name} attribute should not be set after DataLoader is"):
        setattr(loader, name, 5)
    assert [len(x) for (x,) in loader] == [2, 2, 1]
    loader.num_workers = 1
    loader.note = "mine"
    assert [len(x) for (x,) in loader] == [2, 2, 1]


@pytest.mark.parametrize("batch, dtype", [
    ([1, 2], "int64"), ([1, 0.5], "float32"), ([0.5, 1], "float64"), ([True, False], "bool"),
])  # fmt: skip
def test_numbers_are_collated_by_the_first(batch, dtype):
    assert default_collate(batch).numpy().dtype == dtype
