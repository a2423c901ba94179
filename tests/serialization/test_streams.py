"""Files that are read once from the beginning to the end: pipes, sockets, compressed files."""

import bz2
import gzip
import http.client
import io
import lzma
import os
import pickle
import socket
import threading
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.serialization import CheckpointError, load_pickle
from tinygrad_cnn.serialization.safetensors import load_file

posix = pytest.mark.skipif(os.name != "posix", reason="pipes with names")
VALUE = {"x": tc.tensor(np.arange(20_000.0))}  # more than a pipe holds


def contents():
    """Files of each format by name, with the function that reads them."""
    new, old = io.BytesIO(), io.BytesIO()
    tc.save(VALUE, new)
    tc.save(VALUE, old, _use_new_zipfile_serialization=False)
    yield "new", new.getvalue(), tc.load
    yield "old", old.getvalue(), tc.load
    yield "pickle", pickle.dumps({"x": VALUE["x"].numpy()}), load_pickle
    try:
        import safetensors.numpy
    except ImportError:
        return
    data = safetensors.numpy.save({"x": VALUE["x"].numpy()})
    yield "safetensors", data, tc.load


FILES = {name: (data, load) for name, data, load in contents()}
every_format = pytest.mark.parametrize(("data", "load"), FILES.values(), ids=FILES)


def right(found):
    return np.array_equal(np.asarray(found["x"]), VALUE["x"].numpy())


@contextmanager
def written(file, data):
    """Write the data in another thread, to what `open` accepts."""

    def write():
        with open(file, "wb") as end:
            end.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    yield
    writer.join()


@posix
@every_format
def test_a_pipe_with_a_name(tmp_path, data, load):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with written(pipe, data):
        assert right(load(pipe))
    with written(pipe, data[:-1]), pytest.raises(CheckpointError, match=f"^{pipe}: is "):
        load(pipe)


@posix
def test_a_pipe_of_safetensors(tmp_path):
    pytest.importorskip("safetensors")
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    for load in (load_file, tc.load):
        with written(pipe, FILES["safetensors"][0]):
            assert right(load(pipe))


@posix
def test_a_pipe_has_no_map(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with (
        written(pipe, FILES["new"][0]),
        pytest.raises(CheckpointError, match="a pipe or a device: mmap cannot be used"),
    ):
        tc.load(pipe, mmap=True)


@posix
@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="open files without names")
@every_format
def test_open_pipes(data, load):
    for buffering in (-1, 0):  # as sys.stdin.buffer, and its raw file
        end, start = os.pipe()
        with written(start, data), open(end, "rb", buffering=buffering) as file:
            assert right(load(file))
    end, start = os.pipe()
    with written(start, data), open(end, "rb"):
        assert right(load(f"/dev/fd/{end}"))  # as /dev/stdin


@every_format
def test_sockets(data, load):
    for buffering in (None, 0):
        here, there = socket.socketpair()
        writer = threading.Thread(target=lambda there=there: (there.sendall(data), there.close()))
        writer.start()
        with here, here.makefile("rb", buffering=buffering) as file:
            assert right(load(file))
        writer.join()


@pytest.mark.parametrize("chunked", [False, True])
@every_format
def test_answers_of_servers(data, load, chunked):
    class Socket:
        def makefile(self, mode):
            size = b"Content-Length: %d\r\n\r\n" % len(data) + data
            parts = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
            return io.BytesIO(b"HTTP/1.1 200 OK\r\n" + (parts if chunked else size))

    answer = http.client.HTTPResponse(Socket())
    answer.begin()
    assert right(load(answer))


@every_format
def test_compressed_files(tmp_path, data, load):
    for module, how in ((gzip, {}), (bz2, {}), (lzma, {"preset": 0})):
        with module.open(tmp_path / "file", "wb", **how) as file:
            file.write(data)
        with module.open(tmp_path / "file") as file:
            assert right(load(file))
    with zipfile.ZipFile(tmp_path / "zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", data)
    for seekable in (True, False):
        with zipfile.ZipFile(tmp_path / "zip") as archive, archive.open("inner") as file:
            file._seekable &= seekable
            assert right(load(file))
