"""Changes to files, as fuzzers make them: to bytes, and to instructions of pickles."""

from __future__ import annotations

import pickle
import pickletools
import struct
from random import Random

NUMBERS = (0, 1, 2, 4, 63, 64, 65, 255, 256, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32,
           2**62, 2**63 - 1, 2**63, 2**64 - 1, -1, -2, -(2**31), -(2**63))  # fmt: skip
TEXTS = (
    "", "x", "0", "1", "cpu", "cuda:0", "meta", "storage", "module", "f4", ">f8", "S999999999", "U9",
    "O", "V8", "M8[s]", "(2,3)f4", "f4,f4", "<", ">", "|", "latin1", "bz2", "little", "os", "system",
    "_metadata", "__class__", "__dict__", "_array", "grad", "é\U0001f600", "a" * 300,
)  # fmt: skip
_NAMES = (
    "os.system", "posix.system", "builtins.eval", "builtins.getattr", "builtins.bytearray",
    "__builtin__.xrange", "builtins.range", "builtins.set", "builtins.frozenset", "builtins.bytes",
    "builtins.complex", "builtins.list", "builtins.dict", "collections.OrderedDict",
    "collections.Counter", "collections.defaultdict", "argparse.Namespace", "pathlib.PosixPath",
    "pathlib.PureWindowsPath", "torch.Size", "torch.device", "torch.float32", "torch.bool",
    "torch.uint16", "torch.FloatStorage", "torch.BoolStorage", "torch.ByteStorage", "torch.Tensor",
    "torch.DoubleStorage", "torch.storage.UntypedStorage", "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
    "torch.nn.parameter.Parameter", "torch._tensor._rebuild_from_type_v2", "numpy.dtype",
    "numpy.ndarray", "numpy._core.multiarray.scalar", "numpy._core.multiarray._reconstruct",
    "numpy.core.numeric._frombuffer", "_codecs.encode", "torch.serialization._get_layout",
)  # fmt: skip
_OPCODES = [op.code.encode("latin1") for op in pickletools.opcodes]
_NUMBERS_OF = b"KMJIL\x8a\x8bGF"
_TEXTS_OF = b"X\x8c\x8dUTSV"
_MEMO_OF = b"hjqrgp"


def to_bytes(data: bytes, rng: Random) -> bytes:
    """Data with one change to some bytes of it."""
    made = bytearray(data)
    place = rng.randrange(len(made) + 1)
    length = min(rng.choice((1, 2, 4, 8, 30, 200)), len(made) - place)
    other = rng.randrange(len(made) + 1)
    kind = rng.randrange(9)
    if kind == 0 and place < len(made):
        made[place] ^= 1 << rng.randrange(8)
    elif kind == 1 and place < len(made):
        made[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    elif kind == 2:
        made[place : place + length] = bytes([rng.choice((0, 0xFF, rng.randrange(256)))]) * length
    elif kind == 3:
        del made[place : place + length]
    elif kind == 4:
        del made[place:]
    elif kind == 5:  # a splice
        made[place:place] = made[other : other + length]
    elif kind == 6:  # an exchange
        part = made[place : place + length]
        made[place : place + length] = made[other : other + length]
        made[other : other + length] = part
    elif kind == 7:
        number, width = rng.choice((*NUMBERS, len(data))), rng.choice((1, 2, 4, 8))
        order = rng.choice(("little", "little", "big"))
        shown = (number % 256**width).to_bytes(width, order)  # type: ignore[arg-type]
        made[place : place + width] = shown
    else:
        made[place : place + 1] = rng.choice(_OPCODES)
    return bytes(made)


def to_payload(data: bytes, start: int, rng: Random) -> bytes:
    """Data with one byte changed from `start` on, and none before."""
    made = bytearray(data)
    place = rng.randrange(start, len(made))
    made[place] ^= rng.randrange(1, 256)
    return bytes(made)


# --- Pickles --------------------------------------------------------------------------------------


def instructions(data: bytes) -> list[bytes]:
    """The instructions of a pickle. What follows it is left out."""
    places = [place for _, _, place in pickletools.genops(data)]
    end = data.index(b".", places[-1]) + 1
    return [data[a:b] for a, b in zip(places, [*places[1:], end], strict=True)]


def to_instructions(steps: list[bytes], rng: Random) -> list[bytes]:
    """Instructions of a pickle, one of them changed, repeated, exchanged or taken out."""
    made = list(steps)
    place, other = rng.randrange(len(made)), rng.randrange(len(made))
    kind = rng.randrange(12)
    if kind == 0:
        made[place] = rng.choice(_OPCODES) + made[place][1:]
    elif kind == 1:
        del made[place]
    elif kind == 2:
        made[place:place] = [made[other]] * rng.choice((1, 2, 10, 300))
    elif kind == 3:
        made[place], made[other] = made[other], made[place]
    elif kind == 4:
        made.insert(place, made[other])
    elif kind == 5:
        made[place:place] = made[other : other + rng.randrange(1, 30)]
    elif kind == 6:
        module, _, name = rng.choice(_NAMES).rpartition(".")
        names = [k for k, step in enumerate(made) if step[:1] == b"c"]
        made[rng.choice(names or [place])] = f"c{module}\n{name}\n".encode()
    elif kind == 7:
        made.insert(place, rng.choice(_OPCODES))
    else:
        place = _place_of(made, rng)
        made[place] = _other_argument(made[place], rng)
    return made


def _place_of(steps: list[bytes], rng: Random) -> int:
    """The place of an instruction that has an argument."""
    kinds = _NUMBERS_OF + _TEXTS_OF + _MEMO_OF
    places = [k for k, step in enumerate(steps) if step[:1] in [bytes([c]) for c in kinds]]
    return rng.choice(places or [0])


def _other_argument(step: bytes, rng: Random) -> bytes:
    code = step[0]
    if code in _MEMO_OF:
        return step[:1] + bytes(rng.randrange(256) if k == 0 else n for k, n in enumerate(step[1:]))
    if code in _TEXTS_OF:
        data = rng.choice(TEXTS).encode()
        return b"X" + struct.pack("<I", rng.choice((len(data), len(data), 2**31, 0))) + data
    number = rng.choice((*NUMBERS, 2**200, 1e300, float("nan"), -0.0, True, None))
    return pickle.dumps(number, 2)[2:-1]
