"""End a training at SIGTERM with its last step saved.

A cluster sends it to all processes of a job, some time before it kills them: at the end
of its time, when a node is drained, when somebody cancels it.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from twinlens.progress import say


class Stop:
    """While it is entered, SIGTERM asks for the end instead of being it.

    Attributes:
        asked: whether it came.
    """

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        """Take what to do when it comes."""
        self.then, self.asked = then, False
        self._before: Any = None

    def __enter__(self) -> Self:
        """Listen; a process hears of signals in its main thread only."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave SIGTERM as it was."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self.then is not None:
            self.then()


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
