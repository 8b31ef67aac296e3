"""Contents of each data set: classes, photographs and settings."""

from dataclasses import dataclass


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
"""Shares of clips whose pattern, or whose motion, can hardly be seen."""
