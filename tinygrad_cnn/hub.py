"""Weights from the folder where PyTorch keeps downloaded files. Nothing is downloaded here.

The folder is $TORCH_HOME/hub/checkpoints, by default ~/.cache/torch/hub/checkpoints: weights that
PyTorch has downloaded on this machine are found there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlparse as urlparse

from .metadata import device
from .serialization import load as _load

__all__ = ["download_url_to_file", "get_dir", "load_state_dict_from_url", "set_dir"]

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")  # in a file name: the beginning of its SHA-256

_folder: str | None = None


def get_dir() -> str:
    """The folder of the hub: that of `set_dir`, or $TORCH_HOME/hub, or ~/.cache/torch/hub.

    $XDG_CACHE_HOME replaces ~/.cache.

    >>> tc.hub.set_dir("/data/hub")
    >>> tc.hub.get_dir()
    '/data/hub'
    """
    return _folder if _folder is not None else os.path.join(_get_torch_home(), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Set the folder of the hub.

    >>> tc.hub.set_dir("/data/hub")
    """
    global _folder
    _folder = os.path.expanduser(d)


def _get_torch_home() -> str:
    """The folder of all that PyTorch keeps. (Programs use it, although its name is private.)"""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")))


def load_state_dict_from_url(
    url: str,
    model_dir: str | os.PathLike[str] | None = None,
    map_location: Callable[..., Any] | device | str | Mapping[str, str] | None = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> dict[str, Any]:
    """Load the file that `url` names from the folder of downloaded files.

    The folder is `model_dir`, by default "checkpoints" in `get_dir()`; the file has the last part
    of the URL for its name, or `file_name`. FileNotFoundError if it is not there, which says how to
    put it there. With `check_hash`, RuntimeError unless its SHA-256 begins as the name says
    ("resnet18-f37072fd.pth"). `map_location` is that of `load`; the other arguments have no effect.

    >>> tc.hub.load_state_dict_from_url("https://example.com/net-0a1b2c3d.pth", "/data/weights")
    Traceback (most recent call last):
    FileNotFoundError: /data/weights/net-0a1b2c3d.pth is not there, and nothing is downloaded ...
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else os.fspath(model_dir)
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        raise _not_there(url, path)
    found = HASH_REGEX.search(name) if check_hash else None
    if found:
        _check_hash(path, found.group(1))
    return _load(path, map_location=map_location)


def download_url_to_file(
    url: str, dst: str | os.PathLike[str], hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Nothing, if the file `dst` is there. FileNotFoundError if it is not: nothing is downloaded.

    RuntimeError unless its SHA-256 begins with `hash_prefix`.

    >>> tc.hub.download_url_to_file("https://example.com/net.pth", "/data/net.pth")
    Traceback (most recent call last):
    FileNotFoundError: /data/net.pth is not there, and nothing is downloaded ...
    """
    path = os.path.expanduser(dst)
    if not os.path.exists(path):
        raise _not_there(url, path)
    if hash_prefix is not None:
        _check_hash(path, hash_prefix)


def load(repo_or_dir: str, model: str, *args: Any, **kwargs: Any) -> NoReturn:
    """NotImplementedError: a repository of the hub is code that imports PyTorch.

    >>> tc.hub.load("owner/repository", "net")
    Traceback (most recent call last):
    NotImplementedError: hub.load runs the code of another repository ...
    """
    raise NotImplementedError(
        f"hub.load runs the code of another repository ({repo_or_dir}), which imports PyTorch: copy "
        f"the definition of {model} into your program, and load its weights with load_state_dict_from_url"
    )


def _not_there(url: str, path: str) -> FileNotFoundError:
    return FileNotFoundError(
        f"{path} is not there, and nothing is downloaded here. To put it there: "
        f"curl -L --create-dirs -o '{path}' '{url}'"
    )


def _check_hash(path: str, prefix: str) -> None:
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(prefix):
        raise RuntimeError(
            f'invalid hash value (expected "{prefix}", got "{found[: len(prefix)]}") of {path}'
        )


if not TYPE_CHECKING:
    from .compat.missing import not_here as _not_here

    _not_here(globals())
