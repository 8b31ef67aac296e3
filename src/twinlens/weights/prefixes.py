"""Prefixes that training scripts put before the names of a network's weights."""

from collections.abc import Iterator, Mapping
from typing import Any

from twinlens.progress import say

PREFIXES = (
    "module.",
    "_orig_mod.",
    "generator.",
    "netG.",
    "network.",
    "net.",
    "model.",
)
"""Of DataParallel, torch.compile, and of modules that hold the network."""
GENERATORS = ("generator.", "netG.")
"""Those beside which a file may have other networks: discriminators, losses."""


def without(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A file's entries, then the same without a prefix, as often as one is there.

    Some networks have such names of their own, so that all of these must be tried.

    Args:
        found: what `twinlens.weights.read` returns.
    """
    yield found
    while prefix := _prefix(found):
        others = [name for name in found if not name.startswith(prefix)]
        if others:
            say(f"left out beside {prefix}*: {', '.join(sorted(others)[:6])}")
        found = {
            name.removeprefix(prefix): value
            for name, value in found.items()
            if name.startswith(prefix)
        }
        yield found


def _prefix(found: Mapping[str, Any]) -> str | None:
    """The prefix of all entries, or that of a generator's among others."""
    for prefix in PREFIXES:
        share = [name.startswith(prefix) for name in found]
        if share and (all(share) or (any(share) and prefix in GENERATORS)):
            return prefix
    return None
