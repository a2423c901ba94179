"""Pickles that ask for memory, depth or time out of proportion to their size."""

import functools
import io
import time
import tracemalloc

import pytest

import tinygrad_cnn as tc
from tests.serialization.hostile import (
    ONE,
    PROTOCOL,
    archive,
    call,
    legacy,
    load_watched,
    name,
    number,
    storage,
    tensor,
    text,
    tuple_of,
)
from tinygrad_cnn.serialization import CheckpointError, load_pickle, structure
from tinygrad_cnn.serialization.safetensors import load_file, save_file


def again(code, times, before=b"", state=b"h\x00h\x01R"):
    """A pickle that takes two objects, which `code` puts in the memo, again and again."""
    return before + b"(" + code + state * times + b"t."


def levels(n, first, inner):
    """A pickle of n levels; each refers ten times to the one before, which the memo holds."""
    made = first
    for k in range(n):
        made += b"q%c" % k  # the last level, which stays on the stack
        made += inner(b"h%c" % k * 10)
    return made + b"t."


BOMBS = {
    "lists of the same lists": b"(" + levels(12, b"]K\x01a", lambda items: b"](" + items + b"e"),
    "tuples of the same tuples": b"(" + levels(12, b"K\x01\x85", lambda items: b"(" + items + b"t"),
    "dicts of the same dicts": b"("
    + levels(
        12, b"}", lambda items: b"}(" + b"".join(b"K%c" % k + items[:2] for k in range(10)) + b"u"
    ),
    "a tuple of many tuples as a key": b"}"
    + b"K\x01\x85"
    + b"".join(b"q%ch%c\x86" % (k, k) for k in range(40))
    + b"K\x01s.",
    "a list that contains itself": b"]q\x00h\x00a.",
    "a dict that contains itself": b"}q\x00" + text("x") + b"h\x00s.",
    "a dict in its own attributes": call("collections.OrderedDict")
    + b"q\x00}"
    + text("x")
    + b"h\x00sb.",
    "a list in a tuple in itself": b"]q\x00h\x00\x85a.",
    "200,000 levels of lists": b"]" * 200_000 + b"a" * 199_999 + b".",
    "200,000 levels of tuples": b")" + b"\x85" * 200_000 + b".",
    "a key of 200,000 levels": b"})" + b"\x85" * 200_000 + b"K\x01s.",
    "200,000 marks": b"(" * 200_000 + b".",
    "one text encoded again and again": text("x" * 50_000)
    + b"q\x00("
    + b"".join(call("_codecs.encode", b"h\x00", text("latin1")) for _ in range(500))
    + b"t\x86.",
    "one list made a set again and again": b"]("
    + b"".join(b"M%c%c" % (k % 256, k // 256) for k in range(5000))
    + b"eq\x00("
    + b"".join(call("builtins.set", b"h\x00") for _ in range(500))
    + b"t\x86.",
    "a bytearray of a number": call("builtins.bytearray", number(10**12)) + b".",
    "a range in a set": call("builtins.set", call("builtins.range", number(10**12))) + b".",
    "a range of an OrderedDict": call(
        "collections.OrderedDict", call("builtins.range", number(10**12))
    )
    + b".",
    "a range in an OrderedDict": call(
        "collections.OrderedDict", b"]" + call("builtins.range", number(10**12)) + b"a"
    )
    + b".",
    "one dict the state of many objects": again(
        name("collections.OrderedDict")
        + b"q\x00}("
        + b"".join(text(f"name{k}") + b"N" for k in range(1000))
        + b"uq\x01",
        500,
        state=b"h\x00)Rh\x01b",
    ),
    "one dict the attributes of many tensors": again(
        tensor()
        + b"q\x00}("
        + b"".join(text(f"name{k}") + b"N" for k in range(1000))
        + b"uq\x01"
        + name("torch._utils._rebuild_parameter_with_state")
        + b"q\x02",
        500,
        state=b"h\x02(h\x00\x88Nh\x01tR",
    ),
    "one text many parts of paths": again(
        name("pathlib.PurePosixPath") + b"q\x00" + text("x" * 100_000) + b"q\x01",
        10,
        state=b"h\x00(" + b"h\x01" * 50 + b"tR",
    ),
    "one text many scalars": again(
        call("numpy.dtype", text("S100000"), b"\x89", b"\x88")
        + b"q\x00"
        + text("x" * 100_000)
        + b"q\x01"
        + name("numpy._core.multiarray.scalar")
        + b"q\x02",
        50,
        state=b"h\x02h\x00h\x01\x86R",
    ),
    "a long tuple as many keys": again(b"(" + b"N" * 900 + b"tq\x00", 1000, state=b"}h\x00Ns"),
    "attributes of a tensor that contain themselves": call(
        "torch._utils._rebuild_parameter_with_state",
        tensor(),
        b"\x88",
        b"N",
        b"}" + text("x") + b"]q\x00h\x00as",
    )
    + b".",
    "attributes of a tensor that are a function": call(
        "torch._utils._rebuild_parameter_with_state",
        tensor(),
        b"\x88",
        b"N",
        b"}" + text("x") + name("torch.Size") + b"s",
    )
    + b".",
    "a large integer as a key": b"}\x8b\xe8\x03\x00\x00" + b"\x7f" * 1000 + b"K\x01s.",
}


@pytest.mark.parametrize("what", BOMBS)
def test_bombs(what):
    start = time.perf_counter()
    with pytest.raises(CheckpointError, match=r"^the file: is ") as caught:
        load_watched(archive(PROTOCOL + BOMBS[what], ONE))
    assert time.perf_counter() - start < 5
    assert "in the middle" not in str(caught.value)  # each is a whole pickle
    if what.startswith("one ") or what == "a long tuple as many keys":
        assert "it copies the same objects again and again" in str(caught.value)


def test_bools_of_other_bytes_in_a_storage_of_two_classes():
    """Arithmetic makes anything of a bool that is neither 0 nor 1."""
    body = b"(" + tensor(kind="torch.ByteStorage") + tensor(kind="torch.BoolStorage") + b"t."
    found = load_watched(archive(PROTOCOL + body, [("data/0", b"\1")]))
    assert [x.item() for x in found] == [1, True]
    with pytest.raises(CheckpointError, match="a tensor of bool has other bytes than 0 and 1"):
        load_watched(archive(PROTOCOL + body, [("data/0", b"\2")]))


def test_far_places_of_the_memo():
    def far(n):
        puts = b"".join(b"r" + (2**31 + 7 * k).to_bytes(4, "little") for k in range(n))
        return archive(PROTOCOL + b"K\x05" + puts + b"j\x00\x00\x00\x80\x86.")

    assert load_watched(far(1_000)) == (5, 5)
    with pytest.raises(CheckpointError, match="the places of its memo are far from each other"):
        load_watched(far(1_001))


def test_a_memo_that_begins_at_1():
    """As in pickles of Python 2."""
    body = text("a") + b"q\x01" + text("b") + b"q\x02h\x01h\x02\x86\x87."
    assert load_watched(archive(PROTOCOL + body)) == ("a", "b", ("a", "b"))
    puts = b"".join(b"r" + k.to_bytes(4, "little") for k in range(1, 1_500))  # none is far
    assert load_watched(archive(PROTOCOL + text("a") + puts + b".")) == "a"
    with pytest.raises(CheckpointError, match="KeyError"):
        load_watched(archive(PROTOCOL + b"K\x05q\x01h\x00\x86."))


PRIME = 2**61 - 1  # the hash of an integer is its remainder
COLLISIONS = {
    "keys": b"}(" + b"".join(number(PRIME * k) + b"N" for k in range(1, 8_000)) + b"u.",
    "one key after another": b"}"
    + b"".join(number(PRIME * k) + b"Ns" for k in range(1, 8_000))
    + b".",
    "items of a set": b"\x8f(" + b"".join(number(PRIME * k) for k in range(1, 8_000)) + b"\x90.",
    "items of a frozenset": b"(" + b"".join(number(PRIME * k) for k in range(1, 8_000)) + b"\x91.",
    "a set of a list": call(
        "builtins.set", b"](" + b"".join(number(PRIME * k) for k in range(1, 8_000)) + b"e"
    )
    + b".",
    "tuples": b"}(" + b"".join(number(PRIME * k) + b"\x85N" for k in range(1, 8_000)) + b"u.",
    "complex numbers": b"}("
    + b"".join(
        call("builtins.complex", number(-1_000_003 * k), number(k)) + b"N" for k in range(1, 8_000)
    )
    + b"u.",
}


@pytest.mark.parametrize("what", COLLISIONS)
def test_hashes_that_collide(what, monkeypatch):
    """n keys of one hash take n² steps: twenty times as long as others here, an hour for 10⁶."""
    monkeypatch.setattr(structure, "_PATIENCE", 0.01)
    monkeypatch.setattr(structure, "_SECONDS_A_KEY", 4e-6)
    with pytest.raises(
        CheckpointError, match="the hashes of the keys of its dicts and sets collide"
    ):
        load_watched(archive(PROTOCOL + COLLISIONS[what]))


# --- Messages that quote the file -----------------------------------------------------------------

DEEP = levels(9, b"K\x01\x85", lambda items: b"(" + items + b"t")[:-2]  # 10⁹ elements
QUOTED = {
    "the size of a tensor": call(
        "torch._utils._rebuild_tensor_v2", storage(), b"K\x00", DEEP, b")", b"\x89", b"N"
    ),
    "the stride of a tensor": call(
        "torch._utils._rebuild_tensor_v2", storage(), b"K\x00", b")", DEEP, b"\x89", b"N"
    ),
    "the offset of a tensor": call(
        "torch._utils._rebuild_tensor_v2", storage(), DEEP, b")", b")", b"\x89", b"N"
    ),
    "a device": call("torch.device", DEEP),
    "a layout": call("torch.serialization._get_layout", DEEP),
    "a dtype": call("numpy.dtype", DEEP),
    "the state of a dtype": call("numpy.dtype", text("f4")) + DEEP + b"b",
    "an encoding": call("_codecs.encode", text("x"), DEEP),
    "an order": call(
        "numpy._core.numeric._frombuffer",
        text("abcd"),
        call("numpy.dtype", text("f4")),
        tuple_of(b"K\x01"),
        DEEP,
    ),
    "the shape of an array": call(
        "numpy._core.numeric._frombuffer",
        text("abcd"),
        call("numpy.dtype", text("f4")),
        DEEP,
        text("C"),
    ),
    "a name of 9 KB": b"c" + b"x" * 9_000 + b"\ny\n",
    "a number of 10⁴ digits": call("torch.device", number(10**200) + b"\x85"),
    "a long text": call("torch.serialization._get_layout", text("x" * 100_000)),
}


@pytest.mark.parametrize("what", QUOTED)
def test_messages_quote_little_of_the_file(what):
    """The text of the object would have 10⁹ elements."""
    with pytest.raises(CheckpointError, match=r"^the file: is ") as caught:
        load_watched(archive(PROTOCOL + QUOTED[what] + b".", ONE))
    assert len(str(caught.value)) < 1_200


# --- The number of objects ------------------------------------------------------------------------

MANY = {  # one of them, and how many are one object; `first` goes before all
    "lists": (b"]", 1),
    "dicts": (b"}", 1),
    "sets": (b"\x8f", 1),
    "frozensets": (b"(\x91", 1),
    "dicts of a mark": (b"(d", 1),
    "lists of a mark": (b"(l", 1),
    "tuples": (b"N\x85", 4),
    "longer tuples": (b"(NNNNt", 4),
    "bytearrays": (b"\x96" + bytes(8), 1),
    "OrderedDicts": (b"h\x00)R", 1),
    "new Namespaces": (b"h\x01)\x81", 1),
    "tensors": (b"h\x02h\x03R", 1),
    "storages": (b"h\x04Q", 4),
    "dtypes": (b"h\x05h\x06R", 1),
}
FIRST = (
    name("collections.OrderedDict") + b"q\x00"
    + name("argparse.Namespace") + b"q\x01"
    + name("torch._utils._rebuild_tensor_v2") + b"q\x02"
    + tuple_of(storage(), b"K\x00", b")", b")", b"\x89", b"N") + b"q\x03"
    + storage()[:-1] + b"q\x04"
    + name("numpy.dtype") + b"q\x05" + text("f4") + b"\x85q\x06"
)  # fmt: skip


@pytest.mark.parametrize("what", MANY)
def test_the_number_of_objects_has_a_limit(what):
    """The error names it, and the argument that raises it."""
    few, most = 50 * MANY[what][1], 200 * MANY[what][1]
    data = archive(PROTOCOL + b"(" + FIRST + MANY[what][0] * most + b"t.", ONE)
    with pytest.raises(CheckpointError, match=r"more than 100 objects, .* max_objects=\.\.\. rai"):
        tc.load(io.BytesIO(data), max_objects=100)
    data = archive(PROTOCOL + b"(" + FIRST + MANY[what][0] * few + b"t.", ONE)
    with pytest.raises(CheckpointError, match="not part of the data of a model"):  # names in FIRST
        tc.load(io.BytesIO(data), max_objects=100)


def test_the_limit_is_in_proportion_to_the_file():
    def lists(n, more=0):
        return archive(PROTOCOL + b"(" + b"]" * n + b"t.", [("data/0", bytes(more))])

    assert len(tc.load(io.BytesIO(lists(9_999)))) == 9_999
    with pytest.raises(CheckpointError, match="more than 10,000 objects, the limit for a file of"):
        tc.load(io.BytesIO(lists(10_001)))
    assert len(tc.load(io.BytesIO(lists(10_001, 160_000)))) == 10_001
    assert len(tc.load(io.BytesIO(lists(10_001)), max_objects=10_002)) == 10_001
    with pytest.raises(CheckpointError, match="more than 5 objects"):
        tc.load(io.BytesIO(lists(9)), max_objects=5)
    with pytest.raises(TypeError, match="max_objects must be an int, not float"):
        tc.load(io.BytesIO(lists(9)), max_objects=5.0)
    with pytest.raises(ValueError, match="max_objects is -1"):
        tc.load(io.BytesIO(lists(9)), max_objects=-1)


def test_all_pickles_of_an_old_file_share_the_limit():
    lists = b"(" + b"]" * 60 + b"l."
    with pytest.raises(CheckpointError, match="more than 100 objects"):
        tc.load(io.BytesIO(legacy(lists, lists)), max_objects=100)
    with pytest.raises(CheckpointError, match="the list of its storages makes no sense"):
        tc.load(io.BytesIO(legacy(lists, lists)), max_objects=130)


def test_other_functions_have_the_limit_too(tmp_path):
    data = PROTOCOL + b"(" + b"]" * 200 + b"t."
    with pytest.raises(CheckpointError, match="more than 100 objects"):
        load_pickle(io.BytesIO(data), max_objects=100)
    assert len(load_pickle(io.BytesIO(data))) == 200
    header = b'{"x":' + b"[" * 200 + b"]" * 200 + b"}"
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    for read in (tc.load, load_file):
        with pytest.raises(CheckpointError, match=r"x\.safetensors: .* more than 100 objects"):
            read(path, max_objects=100)
        with pytest.raises(CheckpointError, match="its header is nested otherwise than one"):
            read(path)
    header = b'{"__metadata__":{"\\"[":"' + b"[" * 200 + b'"}}'  # in a text they do not count
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    assert tc.load(path, max_objects=100) == {}


# --- Files of usual programs are below the limit --------------------------------------------------


def optimizer_of_numbers():
    """A thousand parameters with a dozen numbers each, and no tensor."""
    names = [f"number_{k}" for k in range(12)]
    return {k: dict.fromkeys(names, 0.1 * k) | {"step": 300 * k} for k in range(1000)}


USUAL = {
    "a thousand tensors and two of Adam's for each": lambda: {
        "model": {f"layers.{k}.weight": tc.full((4,), float(k)) for k in range(1000)},
        "optimizer": {
            "state": {
                k: {"step": tc.tensor(3.0), "exp_avg": tc.ones(4), "exp_avg_sq": tc.ones(4)}
                for k in range(1000)
            },
            "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": list(range(1000))}],
        },
    },
    "an optimizer with numbers alone": optimizer_of_numbers,
    "losses of a run": lambda: {"losses": [0.001 * k for k in range(30_000)]},
    "tokens": lambda: [k * 7919 % 50_000 for k in range(30_000)],
    "a vocabulary": lambda: {f"word{k}": k for k in range(20_000)},
    "the words of a vocabulary": lambda: [f"w{k}" for k in range(20_000)],
    "the parts of a data set": lambda: [
        {"file": f"images/{k:06}.png", "label": k % 10, "box": (0.5, 1.5, 2.5, 3.5)}
        for k in range(6_000)
    ],
    "rows of a tensor": lambda: list(tc.zeros(4_000, 10)),
    "parameters": lambda: [tc.nn.Parameter(tc.ones(1)) for _ in range(2_000)],
}


@pytest.mark.parametrize("what", USUAL)
def test_usual_files_are_read(what):
    value, file = USUAL[what](), io.BytesIO()
    new = what != "parameters"  # the older format takes the fewest bytes for a tensor
    tc.save(value, file, _use_new_zipfile_serialization=new)
    file.seek(0)
    found = tc.load(file)
    assert type(found) is type(value)
    assert len(found) == len(value)


def test_many_tensors_of_safetensors_are_read(tmp_path):
    save_file({f"x{k}": tc.ones(1) for k in range(10_000)}, tmp_path / "x.safetensors")
    assert len(tc.load(tmp_path / "x.safetensors")) == 10_000


# --- Memory ---------------------------------------------------------------------------------------


def peak_of(function, *args):
    """The result of a function, None for a CheckpointError, and the peak of memory in bytes."""
    tracemalloc.start()
    try:
        result = function(*args)
    except CheckpointError:
        result = None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return result, peak


@pytest.mark.parametrize("ending", ["pt", "old.pt", "safetensors"])
def test_memory_is_that_of_the_tensors(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    state = {f"x{k}": tc.ones(100, 1000) for k in range(20)}
    tc.save(state, path, _use_new_zipfile_serialization=ending != "old.pt")
    found, peak = peak_of(tc.load, path)
    assert len(found) == 20
    assert peak < 8_000_000 + 1_000_000


def test_records_that_no_tensor_needs_take_no_memory():
    data = archive(PROTOCOL + b"K\x01.", [("data/0", bytes(10_000_000))])
    found, peak = peak_of(tc.load, io.BytesIO(data))
    assert found == 1
    assert peak < 1_000_000


def test_a_large_tensor_of_one_byte_takes_one_byte():
    """Strides of 0 are allowed, as those of an expanded tensor."""
    body = tensor(size=(2**20, 2**20), stride=(0, 0)) + b"."
    found, peak = peak_of(tc.load, io.BytesIO(archive(PROTOCOL + body, ONE)))
    assert found.shape == (2**20, 2**20)
    assert found[-1, -1].item() == 1.0
    assert peak < 100_000


BODIES = {
    "lists": b"]" * 60_000,
    "sets": b"\x8f" * 60_000,
    "dicts": b"}" * 60_000,
    "empty tuples": b")" * 30_000,
    "tuples": b")\x85" * 20_000,
    "OrderedDicts": b"ccollections\nOrderedDict\nq\x00" + b"h\x00)R" * 15_000,
    "one object in many places of the memo": b"]" + b"\x94" * 60_000,
    "numbers": b"M\xff\xff" * 20_000,
    "texts": b"\x8c\x02ab" * 15_000,
    "tensors": FIRST + b"h\x02h\x03R" * 10_000,
}


@pytest.mark.parametrize("what", BODIES)
def test_memory_is_in_proportion_to_the_pickle(what):
    data = archive(PROTOCOL + b"(" + BODIES[what] + b"t.", ONE)
    load = functools.partial(tc.load, max_objects=len(data) // 16)  # also for a small file
    _, peak = peak_of(load, io.BytesIO(data))
    assert peak < 20 * len(data) + 1_000_000
