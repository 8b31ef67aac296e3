"""Progress that a person sees: a bar on a terminal, plain lines in a log."""

import os
import sys
import time
from collections.abc import Callable, Generator, Iterable, Sized
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")
SECONDS_BETWEEN_LINES = 5.0


def plain() -> bool:
    """Whether to print lines instead of a bar: asked for, or no terminal."""
    return bool(os.environ.get("TWINLENS_PLAIN")) or not sys.stderr.isatty()


def track(
    items: Iterable[T],
    label: str,
    unit: str = "clips",
    total: int | None = None,
    done: int = 0,
) -> Generator[T, None, None]:
    """Go through `items`, reporting how many are done, how fast, and the time left.

    Args:
        items: what is left to do.
        label: what is done to them.
        unit: what they are.
        total: how many there are, those that are done already included.
        done: how many are done already.
    """
    if total is None and isinstance(items, Sized):
        total = done + len(items)
    report = teller(label, unit, done)
    for item in items:
        yield item
        done += 1
        report(done, total)
    if not total or done != total:  # none, unknown, or estimated
        report(done, done)


def teller(
    label: str, unit: str = "clips", first: int = 0
) -> Callable[[int, int | None], None]:
    """Return a function of items done and in total that reports progress.

    `first` of them were done before, which says nothing of the speed.
    """
    if not plain():
        bar = tqdm(desc=label, unit=f" {unit}", initial=first)
        return lambda done, total: _move(bar, done, total)
    start = time.monotonic()
    last = [start]

    def report(done: int, total: int | None) -> None:
        now = time.monotonic()
        if done == total:
            say(f"{label}: {done - first} {unit} in {_clock(now - start)}")
        elif now - last[0] >= SECONDS_BETWEEN_LINES:
            last[0] = now
            rate = (done - first) / max(now - start, 1e-9)
            say(_line(label, unit, done, total, rate))

    return report


def _move(bar: "tqdm[Any]", done: int, total: int | None) -> None:
    bar.total = total
    bar.update(done - bar.n)
    if done == total:
        bar.close()


def _line(label: str, unit: str, done: int, total: int | None, rate: float) -> str:
    if total is None or done > total:
        return f"{label}: {done} {unit}, {rate:.3g} {unit}/s"
    left = _clock((total - done) / max(rate, 1e-9))
    return (
        f"{label}: {done} of {total} {unit} ({100 * done // max(1, total)} %),"
        f" {rate:.3g} {unit}/s, {left} left"
    )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"


def say(text: str) -> None:
    """Print one line for the person who watches, at once."""
    print(text, file=sys.stderr, flush=True)
