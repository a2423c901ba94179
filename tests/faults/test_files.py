"""A file is replaced as a whole or not at all, whatever happens while it is written."""

import errno
import io
import os
import signal
import socket
import stat
import struct
import sys
import tempfile
import threading
import warnings
from contextlib import ExitStack
from pathlib import Path

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.serialization import scratch_windows, writing

fcntl = pytest.importorskip("fcntl", reason="files of POSIX systems")
resource = pytest.importorskip("resource")
scratch = writing.scratch

SOURCES = {scratch.__file__, writing.__file__}
QUICK = {  # without an effect on the disk, or called for each name
    "sweep", "_take", "_scratch_names", "_open", "_lock", "_is_name", "_writer", "_copy_extended",
    "<lambda>", "<listcomp>",
}  # fmt: skip


@pytest.fixture(params=["unnamed", "named"])
def kind(request, monkeypatch):
    """Scratch files without a name, where the system has them, and with one."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return request.param


@pytest.fixture
def path(tmp_path):
    tc.save("old", tmp_path / "run.pt")
    return tmp_path / "run.pt"


def start(act):
    """The number of a child process that calls `act`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: it only writes files
        child = os.fork()
    if not child:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    return child


def end(child):
    """The exit status of a child: 0, or minus the number of the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def forked(act):
    return end(start(act))


def at_line(number, act):
    """A tracer that calls `act` before line `number` that runs in the sources."""
    lines = [0]

    def tracer(frame, event, arg):
        if frame.f_code.co_filename not in SOURCES or frame.f_code.co_name in QUICK:
            return None
        if event == "line":
            lines[0] += 1
            if lines[0] == number:
                act()
        return tracer

    return tracer, lines


def traced(tracer, call):
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        call()
    finally:
        sys.settrace(before)


def lines_of(call):
    tracer, lines = at_line(0, None)
    traced(tracer, call)
    return lines[0]


# --- Interrupted at each line ---------------------------------------------------------------------


@pytest.fixture
def no_flush(monkeypatch):
    """Only the machine could lose what is not flushed, and it goes on."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)


def test_killed_at_any_line(path, kind, no_flush):
    strays = 0
    for number in range(1, lines_of(lambda: tc.save("old", path)) + 1):
        tracer, _ = at_line(number, lambda: os.kill(os.getpid(), signal.SIGKILL))
        status = forked(lambda tracer=tracer: traced(tracer, lambda: tc.save("new", path)))
        assert status == -signal.SIGKILL
        assert tc.load(path) in ("old", "new")
        strays += len(os.listdir(path.parent)) - 1
        tc.save("old", path)
        assert os.listdir(path.parent) == [path.name]
    assert strays  # there was something to remove


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file not closed
def test_interrupted_at_any_line(path, kind, no_flush):
    for number in range(1, lines_of(lambda: tc.save("old", path)) + 1):
        tracer, _ = at_line(number, interrupt)
        with pytest.raises(KeyboardInterrupt):
            traced(tracer, lambda: tc.save("new", path))
        assert tc.load(path) in ("old", "new")
        tc.save("old", path)
        assert os.listdir(path.parent) == [path.name]


def test_content_that_fails_in_the_middle(path, kind):
    def parts():
        yield b"some"
        assert os.listdir(path.parent) == [path.name] or kind == "named"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        writing.write(path, parts())
    assert os.listdir(path.parent) == [path.name]
    assert tc.load(path) == "old"


# --- Full disks and failing ones ------------------------------------------------------------------


def test_a_full_disk(path, kind):
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        for name in (path, path.with_name("new.safetensors")):
            with pytest.raises(OSError, match="File too large") as caught:
                tc.save({"x": tc.ones(10_000)}, name)
            assert caught.value.filename == str(name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert tc.load(path) == "old"
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("error", "whose", "raised"),
    [
        (errno.EIO, "file", True),
        (errno.EIO, "folder", True),
        (errno.EINVAL, "folder", False),
        (errno.ENOTSUP, "folder", False),
    ],
)
def test_flushing_fails(path, kind, error, whose, raised, monkeypatch):
    original = os.fsync

    def fsync(fd):
        if stat.S_ISDIR(os.fstat(fd).st_mode) == (whose == "folder"):
            raise OSError(error, "flushing fails")
        original(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    if raised:
        with pytest.raises(OSError, match="flushing fails") as caught:
            tc.save("new", path)
        assert caught.value.filename == str(path)
    else:
        tc.save("new", path)
    assert tc.load(path) == ("old" if whose == "file" else "new")
    assert os.listdir(path.parent) == [path.name]


# --- Targets --------------------------------------------------------------------------------------


def test_a_pipe_is_written_into(tmp_path, kind):
    pipe, link = tmp_path / "pipe.pt", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for name in (pipe, link):
        with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as end:
            tc.save("new", name)
            assert tc.load(end) == "new"
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)
    assert len(os.listdir(tmp_path)) == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_a_device_stays_one(tmp_path, kind):
    device = tmp_path / "null"
    os.mknod(device, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    try:
        tc.save("new", device)
    except PermissionError:
        pytest.skip("a file system without devices")
    assert stat.S_ISCHR(os.stat(device).st_mode)


def test_a_socket_stays_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets must be short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
        with pytest.raises(OSError, match="'socket'"):
            tc.save("new", "socket")
    assert stat.S_ISSOCK(os.stat("socket").st_mode)


def test_an_open_file_is_written_into(path):
    with open(path, "rb+") as file:
        inode = os.stat(path).st_ino
        tc.save("new", f"/dev/fd/{file.fileno()}")
    assert tc.load(path) == "new"
    assert os.stat(path).st_ino == inode


def test_mode_and_attributes_are_kept(path, kind):
    for mode in (0o600, 0o640, 0o666):
        path.chmod(mode)
        tc.save("new", path)
        assert stat.S_IMODE(path.stat().st_mode) == mode
    try:
        os.setxattr(path, "user.note", b"mine")
    except (AttributeError, OSError):
        pytest.skip("no extended attributes")
    tc.save("newer", path)
    assert os.getxattr(path, "user.note") == b"mine"


def access_list(user):
    """The extended attribute that lets a user of this number read, with a mask of the same."""
    entries = [(1, 6, -1), (2, 4, user), (4, 4, -1), (16, 4, -1), (32, 0, -1)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)


def test_access_lists_are_kept_and_no_others_come(path, kind):
    try:
        os.setxattr(path, "system.posix_acl_access", access_list(1))
        os.setxattr(path.parent, "system.posix_acl_default", access_list(2))  # of new files
    except (AttributeError, OSError):
        pytest.skip("no access lists")
    tc.save("new", path)
    assert os.getxattr(path, "system.posix_acl_access") == access_list(1)
    os.removexattr(path, "system.posix_acl_access")
    path.chmod(0o640)
    tc.save("newer", path)
    assert "system.posix_acl_access" not in os.listxattr(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    tc.save("new", path.with_name("new.pt"))
    assert os.getxattr(path.with_name("new.pt"), "system.posix_acl_access") == access_list(2)


def test_no_one_else_reads_a_private_file_while_it_is_written(path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path.chmod(0o600)

    def parts():
        (other,) = set(os.listdir(path.parent)) - {path.name}
        yield b"%o" % stat.S_IMODE((path.parent / other).stat().st_mode)

    writing.write(path, parts())
    assert path.read_bytes() == b"600"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_owner_is_kept(path, kind):
    os.chown(path, 65534, 65533)
    path.chmod(0o4640)
    tc.save("new", path)
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (65534, 65533, 0o4640)


@pytest.mark.parametrize(("group", "mode"), [(False, 0o644), (True, 0o664)])
def test_rights_that_are_not_kept(path, monkeypatch, group, mode):
    """Another group does not get those of the old one, and another user does not lend his own."""
    original = os.stat

    def fchown(fd, user, _):
        if user != -1 or not group:
            raise PermissionError(errno.EPERM, "not permitted")

    def of_others(name, **how):
        found = original(name, **how)
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:]))

    path.chmod(0o4664)
    monkeypatch.setattr(os, "fchown", fchown)
    monkeypatch.setattr(os, "stat", of_others)
    tc.save("new", path)
    monkeypatch.undo()
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_mode_of_new_files(tmp_path, kind):
    for mask in (0o022, 0o077, 0o002):
        before = os.umask(mask)
        try:
            tc.save("new", tmp_path / f"{mask}")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / f"{mask}").stat().st_mode) == 0o666 & ~mask


def test_links(tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("folder")
    os.symlink("folder/b", "a")  # to another link, which has no target yet
    os.symlink("../c", "folder/b")
    for value in (1, 2):
        tc.save(value, "a")
        assert os.readlink("a") == "folder/b"
        assert os.readlink("folder/b") == "../c"
        assert tc.load("c") == value
        assert not os.path.islink("c")
    os.symlink("loop", "pool")
    os.symlink("pool", "loop")
    os.symlink("nothing/x", "lost")
    for name, code in (("loop", errno.ELOOP), ("lost", errno.ENOENT)):
        with pytest.raises(OSError, match=f"'{name}'") as caught:
            tc.save(1, name)
        assert caught.value.errno == code
        assert os.path.islink(name)
    assert sorted(os.listdir()) == ["a", "c", "folder", "loop", "lost", "pool"]


def test_folders_and_names_that_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("folder")
    os.symlink("folder", "link")
    for name in ("folder", "link", "folder/", "new/", ".", "..", "folder/.", "", "new/."):
        with pytest.raises(OSError, match="Errno") as caught:
            tc.save(1, name)
        with pytest.raises(type(caught.value)):
            os.open(name, os.O_WRONLY | os.O_CREAT)
        assert caught.value.filename == name
    assert sorted(os.listdir()) == ["folder", "link"]


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "." * 255])
def test_long_names(tmp_path, kind, name):
    for value in (1, 2):
        tc.save(value, tmp_path / name)
        assert tc.load(tmp_path / name) == value
    assert os.listdir(tmp_path) == [name]


# --- Protected files ------------------------------------------------------------------------------


def without_rights(act):
    """Call `act` in a child, as a user other than root."""

    def child():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        act()

    return forked(child)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_device():
    def act():  # without the right to replace the device of the machine, were the code wrong
        for value in ("a", tc.ones(100_000)):
            with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
                tc.save(value, "/dev/full")

    assert without_rights(act) == 0
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.fixture
def open_folder():
    """A folder of a user other than root, whom the folders above it let in."""
    loaded = io.BytesIO()
    tc.save("old", loaded)
    loaded.seek(0)
    tc.load(loaded)  # so that no module is loaded later, without the right to read it
    own = tempfile.gettempdir()
    home = "/tmp" if os.geteuid() == 0 and not os.stat(own).st_mode & 0o001 else own
    with tempfile.TemporaryDirectory(dir=home) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        yield folder
        folder.chmod(0o700)


def test_a_file_that_may_not_be_written_is_not_replaced(open_folder):
    path = open_folder / "best.pt"

    def act():
        tc.save("old", path)
        path.chmod(0o444)
        with pytest.raises(PermissionError, match=r"Permission denied: '.*best\.pt'"):
            tc.save("new", path)
        assert tc.load(path) == "old"
        assert os.listdir(open_folder) == [path.name]

    assert without_rights(act) == 0


def test_a_folder_that_may_not_be_written(open_folder):
    path = open_folder / "run.pt"

    def act():
        tc.save("old", path)
        open_folder.chmod(0o500)
        for name in (path, open_folder / "new.pt"):
            with pytest.raises(PermissionError, match="by another one in its folder") as caught:
                tc.save("new", name)
            assert caught.value.filename == str(name)
        assert tc.load(path) == "old"
        with open(path, "wb") as file:  # not as a whole
            tc.save("new", file)
        assert tc.load(path) == "new"

    assert without_rights(act) == 0


def test_a_folder_that_may_not_be_read(open_folder):
    path = open_folder / "run.pt"

    def act():
        open_folder.chmod(0o300)
        tc.save("new", path)
        assert tc.load(path) == "new"

    assert without_rights(act) == 0


# --- Several writers ------------------------------------------------------------------------------


def test_many_threads_at_once(path, kind):
    wait = threading.Barrier(12)  # more than there are names of scratch files
    failed, seen = [], set()

    def act(number):
        def parts():
            seen.update(name.removesuffix(".lock") for name in os.listdir(path.parent))
            yield b"%d" % number

        try:
            wait.wait()
            writing.write(path, parts())
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=act, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert int(path.read_bytes()) in range(12)
    assert os.listdir(path.parent) == [path.name]
    assert seen <= {path.name, *map(os.path.basename, names_of(path))}  # none has a random name


def test_writers_that_are_stuck(path, kind, monkeypatch):
    monkeypatch.setattr(writing, "_PATIENCE_SECONDS", 0.01)
    names = names_of(path)
    with ExitStack() as stuck:
        for name in names:
            fcntl.flock(stuck.enter_context(open(name, "wb")), fcntl.LOCK_EX)
        tc.save("new", path)
        assert tc.load(path) == "new"
        assert len(os.listdir(path.parent)) == 1 + len(names)
    tc.save("newer", path)
    assert os.listdir(path.parent) == [path.name]


def test_several_processes_at_once(path, kind):
    def act(number):
        for _ in range(10):
            tc.save([number] * 1000, path)

    children = [start(lambda n=n: act(n)) for n in range(3)]
    assert [end(child) for child in children] == [0, 0, 0]
    assert len(set(tc.load(path))) == 1
    assert os.listdir(path.parent) == [path.name]


def names_of(path):
    return writing._scratch_names(str(path))[:-1]


def test_scratch_files_of_living_writers_stay(path, kind):
    first, second = names_of(path)[:2]
    with open(first, "wb") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        open(second, "wb").close()  # of a dead one
        tc.save("new", path)
        assert tc.load(path) == "new"
        assert set(os.listdir(path.parent)) == {path.name, os.path.basename(first)}
    tc.save("newer", path)
    assert os.listdir(path.parent) == [path.name]


def test_dead_scratch_files_make_room_first(path, kind):
    for name in names_of(path)[3:]:
        open(name, "wb").close()

    def parts():
        assert not any(map(os.path.exists, names_of(path)[3:]))
        yield b"new"

    writing.write(path, parts())
    assert os.listdir(path.parent) == [path.name]


def test_a_scratch_file_that_is_swept_before_it_is_locked(path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    lock, first = fcntl.flock, names_of(path)[0]

    def flock(held, how):
        monkeypatch.setattr(fcntl, "flock", lock)
        assert os.path.samefile(held.name, first)
        scratch.sweep(first)
        assert not os.path.exists(first)
        lock(held, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    tc.save("new", path)
    assert tc.load(path) == "new"
    assert os.listdir(path.parent) == [path.name]


def test_only_its_own_scratch_file_is_removed(tmp_path):
    name = str(tmp_path / "scratch")
    held, file = scratch.named(name, 0o600, True)
    with held, file:
        os.rename(name, tmp_path / "target")
        Path(name).write_text("of another writer")
        scratch.discard(held, name)
    assert Path(name).read_text() == "of another writer"


def test_other_things_with_the_names_of_scratch_files(path, kind, monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    names = names_of(path)
    os.symlink(path, names[0])
    for name in names[1:]:
        os.mkdir(name)
    tc.save("new", path)
    assert tc.load(path) == "new"
    assert not any(slept)  # nothing to wait for
    assert len(os.listdir(path.parent)) == 1 + len(names)


def test_a_file_system_without_locks(path, kind, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", flock)
    tc.save("new", path)
    assert tc.load(path) == "new"
    assert os.listdir(path.parent) == [path.name]


def test_a_file_that_cannot_get_a_name(path, monkeypatch):
    def link(*_, **how):
        raise OSError(errno.ENOENT, "deleted entry")

    monkeypatch.setattr(os, "link", link)
    path.chmod(0o640)
    tc.save({"x": tc.ones(1_000_000)}, path)
    assert tc.load(path)["x"].numpy().sum() == 1_000_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(path.parent) == [path.name]


# --- Windows --------------------------------------------------------------------------------------


@pytest.fixture
def windows(monkeypatch):
    """The scratch files of Windows. A file with O_TEMPORARY is removed when it is closed."""

    class Temporary(scratch_windows.FileIO):
        def close(self):
            if not self.closed:
                os.unlink(self.name)
            super().close()

    monkeypatch.setattr(os, "O_TEMPORARY", 0, raising=False)
    monkeypatch.setattr(scratch_windows, "FileIO", Temporary)
    monkeypatch.setattr(writing, "scratch", scratch_windows)


def test_scratch_files_of_windows(path, windows):
    tc.save("new", path)
    assert tc.load(path) == "new"
    first, *others = names_of(path)
    for name in (first, *others):
        open(name, "wb").close()
    with scratch_windows._lock(first):  # the first is of a living writer, the others of dead ones
        tc.save("newer", path)
        assert os.path.exists(first)
        assert not any(map(os.path.exists, others))
    tc.save("old", path)
    test_content_that_fails_in_the_middle(path, "named")
    test_many_threads_at_once(path, "named")
