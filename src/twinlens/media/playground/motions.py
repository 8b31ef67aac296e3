"""How hands and the things in them move, recognisable in any five frames.

A motion is steady rather than rhythmic: each keeps its kind of flow at all times but
for brief turns. No two differ by left against right alone, since recognisers
mirror their pictures.

Lengths are in hundredths of the frame's height, times in frames, angles in radians.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twinlens.media.playground.textures import Random

Track = npt.NDArray[np.float64]


def _still() -> Track:
    return np.zeros(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """One performance, T frames long; a field left out stays still (length 1)."""

    right: Track
    """(T, 2): x, y of the hand on the right of the picture, about its rest."""
    left: Track
    """(T, 2): likewise of the other hand."""
    turn: Track = field(default_factory=_still)
    """(T,): how far the held things have turned in the hands."""
    stretch: Track = field(default_factory=_still)
    """(T,): logarithm of their width's growth."""
    grow: Track = field(default_factory=_still)
    """(T,): logarithm of their height's growth."""
    scroll: Track = field(default_factory=_still)
    """(T,): how far their surface has moved down within a fixed outline."""
    body: Track = field(default_factory=_still)
    """(T,): how far the whole body has moved down."""


Maker = Callable[[Random, int, float], Motion]
"""From chance, a length in frames and a vigour (1 is plain, 0 is still) to a motion."""


def back_and_forth(random: Random, frames: int, speed: float, reach: float) -> Track:
    """A steady run that turns round every `2 * reach`, with short, soft turns."""
    phase = random.uniform(0, 4) + np.arange(frames) * speed / reach
    ramp = np.abs((phase % 4) - 2) - 1
    return (
        reach * np.sin(np.pi / 2 * np.clip(1.08 * ramp, -1, 1)) * 0.3
        + reach * ramp * 0.7
    )


def _rest(frames: int) -> Track:
    return np.zeros((frames, 2))


def _along(x: Track | None, y: Track | None, frames: int) -> Track:
    zero = np.zeros(frames)
    return np.stack([zero if x is None else x, zero if y is None else y], axis=1)


def saw(random: Random, frames: int, vigour: float) -> Motion:
    """Both hands to and fro, side by side."""
    x = back_and_forth(random, frames, vigour * random.uniform(1.7, 2.6), 8.0)
    return Motion(right=_along(x, None, frames), left=_along(x, None, frames))


def hammer(random: Random, frames: int, vigour: float) -> Motion:
    """Both hands up and down together."""
    y = back_and_forth(random, frames, vigour * random.uniform(1.7, 2.6), 8.0)
    return Motion(right=_along(None, y, frames), left=_along(None, y, frames))


def juggle(random: Random, frames: int, vigour: float) -> Motion:
    """One hand up while the other goes down."""
    y = back_and_forth(random, frames, vigour * random.uniform(1.7, 2.6), 8.0)
    return Motion(right=_along(None, y, frames), left=_along(None, -y, frames))


def clap(random: Random, frames: int, vigour: float) -> Motion:
    """Hands towards each other and apart."""
    x = back_and_forth(random, frames, vigour * random.uniform(1.4, 2.2), 6.0)
    return Motion(right=_along(x, None, frames), left=_along(-x, None, frames))


def stir(random: Random, frames: int, vigour: float) -> Motion:
    """Hands on circles; the things in them stay upright."""
    speed = vigour * random.uniform(0.36, 0.52) * random.choice([-1, 1])
    angle = random.uniform(0, 2 * np.pi) + speed * np.arange(frames)
    circle = 6.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Motion(right=circle, left=circle * [-1, 1])


def spin(random: Random, frames: int, vigour: float) -> Motion:
    """Things turn in resting hands."""
    speed = vigour * random.uniform(0.14, 0.22) * random.choice([-1, 1])
    turn = random.uniform(0, 2 * np.pi) + speed * np.arange(frames)
    return Motion(right=_rest(frames), left=_rest(frames), turn=turn)


def pump(random: Random, frames: int, vigour: float) -> Motion:
    """Things swell and shrink."""
    size = back_and_forth(random, frames, vigour * random.uniform(0.09, 0.13), 0.30)
    return Motion(right=_rest(frames), left=_rest(frames), stretch=size, grow=size)


def squeeze(random: Random, frames: int, vigour: float) -> Motion:
    """Things grow wide while they grow flat, and back."""
    size = back_and_forth(random, frames, vigour * random.uniform(0.08, 0.12), 0.28)
    return Motion(right=_rest(frames), left=_rest(frames), stretch=size, grow=-size)


def roll(random: Random, frames: int, vigour: float) -> Motion:
    """The surface of things runs down within a resting outline."""
    scroll = vigour * random.uniform(1.3, 2.1) * np.arange(float(frames))
    return Motion(right=_rest(frames), left=_rest(frames), scroll=scroll)


def hop(random: Random, frames: int, vigour: float) -> Motion:
    """The whole body up and down, hands and all."""
    body = back_and_forth(random, frames, vigour * random.uniform(1.8, 2.8), 6.0)
    return Motion(right=_rest(frames), left=_rest(frames), body=body)


def crouch(random: Random, frames: int, vigour: float) -> Motion:
    """The same at half the speed."""
    body = back_and_forth(random, frames, vigour * random.uniform(0.7, 1.5), 6.0)
    return Motion(right=_rest(frames), left=_rest(frames), body=body)


def swing(random: Random, frames: int, vigour: float) -> Motion:
    """Things rock about the hand that holds them by the rim."""
    turn = back_and_forth(random, frames, vigour * random.uniform(0.10, 0.16), 0.6)
    bob = 7 * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    return Motion(right=bob, left=bob, turn=-turn)


MOTIONS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        *(saw, hammer, juggle, clap, stir, spin),
        *(pump, squeeze, roll, hop, crouch, swing),
    )
}
