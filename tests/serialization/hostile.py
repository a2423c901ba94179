"""Files made by hand: pickles instruction by instruction, and archives record by record."""

import io
import os
import struct
import sys
import zipfile

import tinygrad_cnn as tc

PROTOCOL = b"\x80\x02"


def name(path):
    """The instruction that looks up a name."""
    module, _, last = path.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def text(value):
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def number(value):
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def tuple_of(*parts):
    return b"(" + b"".join(parts) + b"t"


def call(path, *parts):
    return name(path) + tuple_of(*parts) + b"R"


def storage(key="0", count=1, kind="torch.FloatStorage", location="cpu"):
    return tuple_of(text("storage"), name(kind), text(key), text(location), number(count)) + b"Q"


def tensor(offset=0, size=(1,), stride=(1,), **options):
    numbers = (tuple_of(*map(number, group)) for group in (size, stride))
    hooks = call("collections.OrderedDict")
    return call(
        "torch._utils._rebuild_tensor_v2",
        storage(**options),
        number(offset),
        *numbers,
        b"\x89",
        hooks,
    )


def archive(pickle, records=(), compression=zipfile.ZIP_STORED, prefix="archive/"):
    """The bytes of an archive with this pickle, and records as pairs of a name and data."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for below, data in (("data.pkl", pickle), ("version", b"3\n"), *records):
            made.writestr(prefix + below, data)
    return file.getvalue()


def legacy(pickle, keys=b"].", storages=b"", little=True):
    """The bytes of a file of the older format."""
    magic = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
    facts = b"}" + text("little_endian") + (b"\x88" if little else b"\x89") + b"s."
    parts = [magic, b"M\xe9\x03.", facts, pickle, keys]
    return b"".join(PROTOCOL + part for part in parts) + storages


def elements(*values):
    return struct.pack(f"<{len(values)}f", *values)


def number_of_elements(records):
    return b"".join((len(data) // 4).to_bytes(8, "little") + data for _, data in records)


ONE = [("data/0", elements(1.0))]  # a storage of one element
FORMS = {  # a pickle and storages as a file
    "archive": lambda body, records: archive(PROTOCOL + body, records),
    "old": lambda body, records: legacy(
        body, b"]" + text("0") + b"a.", number_of_elements(records)
    ),
}

# --- What Python does while a file is loaded ------------------------------------------------------

EVENTS = []  # of Python's audit hook, while the list has an element
WATCHED = (
    "exec",
    "compile",
    "import",
    "os.",
    "subprocess.",
    "socket.",
    "shutil.",
    "ctypes.",
    "object.__getattr__",
    "object.__setattr__",
    "pickle.find_class",
    "builtins.input",
)


WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _hook(event, args):
    if EVENTS and (event.startswith(WATCHED) or (event == "open" and args[2] & WRITING)):
        EVENTS.append((event, args))


sys.addaudithook(_hook)  # no hook can be removed: this one sleeps while there are no events


def watched(function, *args):
    """The result of a function; asserts that Python runs, imports and writes nothing on its account."""
    EVENTS.append("start")
    try:
        return function(*args)
    finally:
        seen = EVENTS[1:]
        EVENTS.clear()
        assert seen == []


def load_watched(data):
    """`load`; asserts that Python runs, imports and opens nothing on its account."""
    return watched(tc.load, io.BytesIO(data))
