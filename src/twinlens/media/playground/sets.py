"""What each data set is made of: classes, photographs and settings."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """What tells a class apart: a pattern to see and a motion to follow."""

    pattern: str
    """One of `textures.WAVES`."""
    motion: str
    """One of `motions.MOTIONS`."""


EIGHT = {
    "SawPales": Action(pattern="pales", motion="saw"),
    "SawZigzag": Action(pattern="zigzag", motion="saw"),
    "HammerBars": Action(pattern="bars", motion="hammer"),
    "RollBars": Action(pattern="bars", motion="roll"),
    "StirChecker": Action(pattern="checker", motion="stir"),
    "SpinSpokes": Action(pattern="spokes", motion="spin"),
    "PumpRings": Action(pattern="rings", motion="pump"),
    "JuggleDots": Action(pattern="dots", motion="juggle"),
}

SIX = {
    "ClapSlant": Action(pattern="slant", motion="clap"),
    "HopBricks": Action(pattern="bricks", motion="hop"),
    "CrouchCrosses": Action(pattern="crosses", motion="crouch"),
    "SwingCrosses": Action(pattern="crosses", motion="swing"),
    "SqueezeDots": Action(pattern="dots", motion="squeeze"),
    "RollZigzag": Action(pattern="zigzag", motion="roll"),
}

ACTIONS = {"eight": EIGHT, "six": SIX}

PHOTOS = {
    "eight": ("astronaut.png", "coffee.png", "grass.png"),
    "six": ("chelsea.png", "rocket.jpg", "gravel.png"),
    "corpus": ("motorcycle_left.png", "ihc.png", "brick.png", "coins.png"),
    "flow": ("camera.png",),
}

PERIOD = (6.7, 10.2)
"""Least and greatest width of a pattern's repeats, in pixels of the frame."""

CLIPS_A_GROUP = 4
"""Clips of one class before one background, at most."""

FAINT, LISTLESS = 0.08, 0.08
"""Shares of clips whose pattern, or whose motion, can hardly be made out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How large a generated data set is, and of what kind."""

    kind: Literal["action", "corpus", "flow"] = "action"
    """Labelled actions, a training corpus for SR, or held-out clips with true flow."""
    set: Literal["eight", "six"] = "eight"
    """Which family of actions."""
    classes: tuple[str, ...] | None = None
    """Which of the family's classes; all of them by default."""
    width: int = 128
    """Of the frames, in pixels; even, as the encoder asks."""
    height: int = 96
    """Of the frames, in pixels; even."""
    fps: int = 25
    """Frames a second; says how the files play, not how things move."""
    frames: tuple[int, int] = (32, 40)
    """Fewest and most frames of a clip."""
    train: int = 40
    """Training clips of a class, in the first split."""
    test: int = 25
    """Test clips of a class, in the first split."""
    clips: int = 60
    """Clips of a corpus or of a flow set."""

    def __post_init__(self) -> None:
        """Refuse what could not be made.

        Raises:
            ValueError: naming the setting and what it may be.
        """
        unknown = set(self.classes or ()) - set(ACTIONS[self.set])
        if unknown:
            raise ValueError(
                f"no class {sorted(unknown)}; there are {sorted(ACTIONS[self.set])}"
            )
        if self.width % 2 or self.height % 2:
            raise ValueError(f"an odd frame size: {self.width} x {self.height}")
