"""End a training at SIGTERM with its last step saved.

A cluster sends it to all processes of a job, some time before it kills them: at the end
of its time, when a node is drained, when somebody cancels it.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn

from twinlens.progress import say


@dataclass(slots=True)
class Stop:
    """Whether SIGTERM came."""

    asked: bool = False


@contextmanager
def listening(then: Callable[[], None] | None = None) -> Iterator[Stop]:
    """Take SIGTERM, for a block, as the wish to end, and not as the end.

    A process hears of signals in its main thread only; elsewhere nothing changes.

    Args:
        then: what is called when it comes.
    """
    stop = Stop()

    def ask(*_: object) -> None:
        stop.asked = True
        if then is not None:
            then()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)


def ignore(worker: int) -> None:
    """Have a process that reads for a training end with it, and not by SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def let_next_end() -> None:
    """Let the next SIGTERM end this process: it comes when the first has saved."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def ask_first_child() -> None:
    """Pass SIGTERM on to the process that saves, if there are several."""
    children = multiprocessing.active_children()
    if children:
        min(children, key=lambda each: each.pid or 0).terminate()


def end(text: str) -> NoReturn:
    """End the process as SIGTERM does; who read its output may be gone by now."""
    with suppress(OSError):
        say(text)
    raise SystemExit(128 + signal.SIGTERM)
