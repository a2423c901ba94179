"""What a program does to the system: files written, processes started, network, by audit events.

`watched` runs pieces of code one after another in one new process. Python reports each open file,
process and connection there, also of libraries in Python; see `sys.addaudithook`.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Runs in the new process. A row of `seen` is [number of the piece, kind, text ...].
WATCH = """
import json, os, sys
seen, piece = [], [-1]
CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FILES = {
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.setxattr",
    "os.symlink", "os.truncate", "os.utime",
}
PATHS = {"os.link": 2, "os.rename": 2, "os.symlink": 2}
PROCESSES = {
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
    "pty.spawn", "subprocess.Popen",
}
NETWORK = ("ftplib.", "http.", "imaplib.", "nntplib.", "poplib.", "smtplib.", "socket.", "telnetlib.",
           "urllib.")

def watch(event, args):
    if event == "open":
        path, mode, flags = args
        if isinstance(path, int) or not flags & CHANGES or os.fsdecode(path) == os.devnull:
            return
        seen.append([piece[0], "file", os.path.abspath(os.fsdecode(path))])
    elif event in FILES:
        for path in args[: PATHS.get(event, 1)]:
            if not isinstance(path, int):
                seen.append([piece[0], "file", os.path.abspath(os.fsdecode(path))])
    elif event == "subprocess.Popen":
        seen.append([piece[0], "process", *map(str, args[1])])
    elif event in PROCESSES:
        # Popen, which was seen, may use os.posix_spawn
        if sys._getframe(1).f_globals["__name__"] != "subprocess":
            seen.append([piece[0], "process", event])
    elif event.startswith(NETWORK):
        seen.append([piece[0], "network", event])
    elif event == "pickle.find_class":
        seen.append([piece[0], "pickle", ".".join(args)])

sys.addaudithook(watch)
"""

RUN = """
pieces = json.loads(sys.stdin.read())
names = {}
for number, text in enumerate(pieces):
    code = compile(text, f"piece {number}", "exec")
    piece[0] = number
    exec(code, names)
"""

TELL = """
piece[0] = -1
with open("seen.json", "w") as file:
    json.dump(seen, file)
"""


@dataclass
class Seen:
    """What one piece of code did."""

    files: set[str]  # paths that were opened to write, renamed, removed ...
    processes: list[list[str]]  # the arguments of each
    network: list[str]  # events
    pickle: list[str]  # names that Python's pickle looked up


def watched(pieces: list[str], folder: Path, **environment: str) -> list[Seen]:
    """Run pieces of code in a new process in `folder`, and return what each did.

    They share their variables. AssertionError with the traceback if one raises.
    """
    run = subprocess.run(
        # -B: Python's own files of compiled modules are not the subject
        [sys.executable, "-B", "-c", WATCH + RUN + TELL],
        input=json.dumps(pieces), cwd=folder, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    report = folder / "seen.json"
    seen = json.loads(report.read_text())
    report.unlink()
    found = [Seen(set(), [], [], []) for _ in pieces]
    for number, kind, *texts in seen:
        if number >= 0:
            what = found[number]
            if kind == "file":
                what.files.add(texts[0])
            elif kind == "process":
                what.processes.append(texts)
            else:
                getattr(what, kind).extend(texts)
    return found
