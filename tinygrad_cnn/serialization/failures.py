"""Messages: what a damaged or hostile file raises becomes one CheckpointError that names it."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .files import CheckpointError
from .trusted import BLOCKED

_LONGEST_MESSAGE = 1_000  # characters: a message may quote the file

_short = reprlib.Repr()
_short.maxlevel, _short.maxtuple, _short.maxstring, _short.maxother = 2, 8, 100, 100


def shown(value: Any) -> str:
    """A short text of a value of a file. Its own text could be longer than the memory of a machine."""
    return _short.repr(value)


@contextmanager
def errors_of(name: str) -> Iterator[None]:
    """Turn what a damaged or hostile file raises into one CheckpointError that names it."""
    try:
        yield
    except (ImportError, MemoryError, OSError):  # of bfloat16's package, and of the machine
        raise
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {_cut(error)}") from None
    except ValueError as error:  # of our checks, or of Python for damaged texts and numbers
        raise CheckpointError(f"{name}: is refused or damaged: {_cut(error)}") from None
    except Exception as error:  # of a damaged pickle, or of a function that the program allows
        kind = type(error).__name__
        raise CheckpointError(
            f"{name}: is damaged: its content makes no sense ({kind}: {_cut(error)})"
        ) from error


def _cut(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."


WHOLE_MODEL = (
    "is refused: it holds a whole model, which only its own code can build. Where that code runs, "
    "torch.save(model.state_dict(), 'weights.pth') writes a file that this function reads"
)
_SPARSE = {
    "torch._utils._rebuild_sparse_tensor": "a sparse tensor",
    "torch._utils._rebuild_qtensor": "a quantized tensor",
    "torch._utils._rebuild_nested_tensor": "a nested tensor",
    "torch._utils._rebuild_meta_tensor_no_storage": "a tensor without data, on the device 'meta'",
    "torch._utils._rebuild_wrapper_subclass": "a subclass of Tensor",
}


def refusal(module: str, path: str) -> str:
    """What to say of a file that asks for a name that is not allowed, and what its user can do."""
    if path in _SPARSE:
        return f"is not supported: it holds {_SPARSE[path]}"
    if module.startswith(("torch.nn.", "torchvision.models", "timm.", "torch.jit", "torch.fx")):
        return f"{WHOLE_MODEL} (it names {path})"
    if module.partition(".")[0] in (*BLOCKED, "builtins"):
        return f"is refused: it asks for {path}, which no model needs. Do not trust it"
    return (
        f"is refused: it needs {path}, and files may name only parts of tensors, containers and "
        "numbers. If you trust it, serialization.safe_globals allows it: with "
        f"safe_globals([{path.rpartition('.')[2]}]): ... If it belongs to a model that was saved "
        "as a whole, torch.save(model.state_dict(), 'weights.pth') saves the weights alone"
    )
