"""Try a reader on a file, in a process of its own, under limits of time and memory.

A damaged or hostile file can keep a reader busy for ever, let it fill the memory, or
crash it: readers are libraries in C that trust what a file states. The process here is
ended in their place.
"""

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SECONDS = 10.0
"""Of computing, for a file of any size."""
BYTES_A_SECOND = 20e6
"""That the slowest reader takes, beyond these seconds."""
MOST_SECONDS = 3600.0
"""Of waiting, for a disk that gives nothing."""
BYTES = 500_000_000
"""Of memory, for a file of any size."""
TIMES = 4
"""The size of the file, of memory beyond that: half precision becomes single, beside
what was read."""
SECONDS_TO_END = 60.0
"""For the process to end, once it has said all."""
FILL = ("MemoryError", "can't allocate memory", "bad_alloc", "nable to allocate")
"""What libraries say when the limit of memory stops them."""


def run(read: Callable[[Path], Any], path: Path) -> None:
    """Read a file and forget what was read.

    Args:
        read: raises ValueError or OSError for what it can't read.
        path: the file.

    Raises:
        ValueError: the file can't be read within the limits, with the reason.
        OSError: there is none.
    """
    size = path.stat().st_size
    if not path.is_file():  # to read a pipe would never end
        raise ValueError(f"{path}: not a regular file")
    # A fork has the libraries already, and none of their threads.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(read, path, size, theirs), daemon=True)
    child.start()
    theirs.close()
    if not ours.poll(MOST_SECONDS):
        child.kill()
        raise ValueError(
            f"{path}: its reader gave nothing in {MOST_SECONDS:g} s: is its disk there?"
        )
    try:
        reason = str(ours.recv())
    except EOFError:  # it ended without a word
        child.join(SECONDS_TO_END)
        reason = f"{path}: {_ending(child.exitcode, size)}"
    child.join(SECONDS_TO_END)
    if reason:
        raise ValueError(reason)


def _child(
    read: Callable[[Path], Any], path: Path, size: int, pipe: Connection
) -> None:
    """Say why a file can't be used, "" if it can."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a trace
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)  # the others stayed behind at the fork
    _limit(size)
    try:
        stated = _size(read(path))
        fits = stated <= TIMES * size + BYTES // 5
        pipe.send("" if fits else f"{path}: {_states(stated, size)}")
    except MemoryError:
        pipe.send(f"{path}: {_fills(size)}")
    except Exception as error:  # of a library that takes the file for whole
        full = any(words in _chain(error) for words in FILL)
        pipe.send(f"{path}: {_fills(size)}" if full else _said(error, path))


def _limit(size: int) -> None:
    seconds = int(_seconds(size))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = Path("/proc/self/statm")
    if used.is_file():  # elsewhere nothing says what is taken already
        taken = int(used.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        most = taken + TIMES * size + BYTES
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _seconds(size: int) -> float:
    return SECONDS + size / BYTES_A_SECOND


def _size(value: Any) -> int:
    """Bytes of all arrays in what a reader returned, as they state them."""
    if isinstance(value, Mapping):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    shape: Iterable[int] = getattr(value, "shape", ())
    count = 1
    for side in shape:
        count *= int(side)
    return count * int(getattr(value, "itemsize", 0) or 0)


def _states(stated: int, size: int) -> str:
    return (
        f"states {stated:,} bytes of numbers, and is a file of {size:,} bytes: damaged,"
        " or no weights"
    )


def _fills(size: int) -> str:
    return (
        f"to read it takes more than {TIMES * size + BYTES:,} bytes of memory,"
        f" {TIMES} times its size and {BYTES:,}: damaged, or no weights"
    )


def _said(error: Exception, path: Path) -> str:
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    text = text or type(error).__name__
    return text if str(path) in text else f"{path}: {text}"


def _chain(error: BaseException | None) -> str:
    """What an error and those that led to it say."""
    said = ""
    while error is not None:
        said += f" {type(error).__name__}: {error}"
        error = error.__cause__ or error.__context__
    return said


def _ending(code: int | None, size: int) -> str:
    """How a reader ended that said nothing, from its exit status."""
    if code == -signal.SIGKILL:
        return "its reader was killed: the machine has no memory left, usually"
    if code == -signal.SIGXCPU:
        return (
            f"to read it takes more than {_seconds(size):.0f} s: damaged, or no weights"
        )
    known = {-each.value: each.name for each in signal.Signals}
    return f"its reader was ended by {known.get(code or 0, f'status {code}')}: damaged"
