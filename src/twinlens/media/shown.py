"""When and how frames are shown: times, shape of pixels, colours."""

import re
from dataclasses import dataclass
from fractions import Fraction

from twinlens.errors import RejectedError

FILTER = "showinfo=checksum=0"
"""The filter that reports them."""
UNKNOWN = "unknown"
FRAME = re.compile(rb"Parsed_showinfo.* n: *\d+ pts: *(-?\d+|NOPTS) ")
HD = (1280, 577)
"""Width or height from which players take untagged colours for BT.709."""
DEEP = re.compile(r"(?:p|gray|rgba?|bgra?|x2rgb|x2bgr|y2|p0)(9|1[0246])(?:le|be)?$")


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
    def depth(self) -> int:
        """Bits a channel."""
        found = DEEP.search(self.form)
        return int(found[1]) if found else 8


def parse(messages: str) -> Shown:
    """Read how frames are shown from ffmpeg's messages of the first.

    Raises:
        RejectedError: they don't say it.
    """
    base = re.search(r"showinfo.* config in time_base: (\d+)/(\d+)", messages)
    frame = re.search(r" fmt:(\S+) .*?sar:(\d+)/(\d+) s:(\d+)x(\d+) ", messages)
    colours = re.search(
        r" color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)",
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
