"""When and how frames are shown: times, shape of pixels, colours."""

import re
from dataclasses import dataclass
from fractions import Fraction

from twinlens.errors import RejectedError

FILTER = "showinfo=checksum=0"
"""The filter that reports them."""
UNKNOWN = "unknown"
NO_TITLE = r"^(?!\[info\]|\s)[^\n]*?"
"""How a line starts in which no title of the file stands."""
LINE = NO_TITLE + r"\[Parsed_showinfo_\d+ @ \w+\] \[info\] "
"""How the filter's lines start."""
FRAME = re.compile(rf"{LINE}n: *\d+ pts: *(-?\d+|NOPTS) ".encode())
HD = (1280, 577)
"""Width or height from which players take untagged colours for BT.709."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """How the frames of a video are shown."""

    time_base: Fraction
    """Seconds of a unit of time."""
    pixel: Fraction
    """Width of a pixel over its height."""
    size: tuple[int, int]
    """Width and height, in pixels."""
    form: str
    """Pixel format, by ffmpeg's name."""
    range: str
    """ "tv" or "pc", as all names of colours by ffmpeg; `UNKNOWN` where untagged."""
    space: str
    """Matrix between RGB and brightness with colour differences."""
    primaries: str
    transfer: str

    @property
    def matrix(self) -> str:
        """The matrix, guessed as players do where it is untagged."""
        if self.space == "gbr":
            return "bt709"
        if self.space != UNKNOWN:
            return self.space
        large = any(own >= least for own, least in zip(self.size, HD, strict=True))
        return "bt709" if large else "smpte170m"

    @property
    def full_range(self) -> bool:
        """Whether brightness takes all levels; that of RGB is made, and does not."""
        return self.range == "pc" and self.space != "gbr"


def parse(messages: str) -> Shown:
    """Read how frames are shown from ffmpeg's messages of the first.

    Raises:
        RejectedError: they don't say it.
    """
    # Some warnings of ffmpeg end without a new line, and this one follows on theirs.
    base = re.search(NO_TITLE + r"config in time_base: (\d+)/(\d+)", messages, re.M)
    frame = _line(r"n: .*? fmt:(\S+) .*?sar:(\d+)/(\d+) s:(\d+)x(\d+) ", messages)
    colours = _line(
        r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)",
        messages,
    )
    if not base or not frame or not colours:
        raise RejectedError("ffmpeg does not say how its frames are shown")
    sides = int(frame[2]), int(frame[3])
    return Shown(
        time_base=Fraction(int(base[1]), int(base[2])),
        pixel=Fraction(*sides) if all(sides) else Fraction(1),
        size=(int(frame[4]), int(frame[5])),
        form=frame[1],
        range=colours[1],
        space=colours[2],
        primaries=colours[3],
        transfer=colours[4],
    )


def _line(pattern: str, messages: str) -> re.Match[str] | None:
    return re.search(LINE + pattern, messages, re.MULTILINE)
