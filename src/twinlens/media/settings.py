"""Settings of the stages of `media`, typed: of the config and of jobs."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from twinlens.recognisers import Reading
from twinlens.settings import STRICT, DataPath, Few, Pixels, Rate, Seed

SUFFIXES = frozenset(
    (
        ".avi .divx .mp4 .m4v .mov .qt .3gp .3g2 .f4v .mkv .webm .ts .mts .m2ts .mpg"
        " .mpeg .mpe .m2v .m1v .vob .tod .ogv .ogm .flv .wmv .asf .gif .y4m"
    ).split()
)
"""Files that are taken for videos."""

Part = Literal["train", "test", "corpus"]
Length = Annotated[int, Field(ge=2, le=10**4)]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Limits:
    """What a single file may cost."""

    seconds: Rate = 300.0
    """Wall time of a decoding."""
    frames: Annotated[int, Field(ge=2)] = 20_000
    """Frames that are decoded of it at most."""
    pixels: Annotated[int, Field(ge=1)] = 4096 * 2304
    """Pixels of a frame."""
    bytes: Annotated[int, Field(ge=1)] = 4 << 30
    """Bytes of the frames that are read of it."""
    file: Annotated[int, Field(ge=1)] = 16 << 30
    """Bytes of the file itself: a larger one is not read at all."""


UNLIMITED = Limits(seconds=1e9, frames=10**9, pixels=1 << 30, file=1 << 62)
"""For a video that its owner wants to have whole."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Source:
    """Where a data set's clips come from: all that decides them."""

    kind: str
    """A file of twinlens.media.sets."""
    videos: DataPath | None = None
    """Folder of the videos."""
    splits: DataPath | None = None
    """Folder of the official split files."""
    split: Literal[1, 2, 3] = 1
    """Which official split (paper section 4.1, the first)."""
    classes: tuple[str, ...] | None = None
    """Restrict the data set to these classes."""
    split_file: DataPath | None = None
    """csv with columns clip and part, for kind folder."""
    group: str | None = None
    """Regular expression for the scene in a file's name without folder and ending; its
    first group, or all that matches. For kind folder without a split file."""
    group_within_class: bool = False
    """Whether scenes of one name are different ones in different classes."""
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Fraction of the clips that is tested, for kind folder without a split file."""
    seed: Seed | None = None
    """Draws that split; by default the world's."""
    short_side: Pixels | None = None
    """Shrink frames to this short side first (the paper's corpus, about 240)."""
    limits: Limits = Limits()
    """What decoding one file may cost."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Generated:
    """How large a generated data set is, and of what kind."""

    kind: Literal["action", "corpus", "flow"] = "action"
    """Labelled actions, a training corpus for SR, or held-out clips with true flow."""
    set: Literal["eight", "six"] = "eight"
    """Which family of actions."""
    classes: tuple[str, ...] | None = None
    """Which of the family's classes; all of them by default."""
    width: Annotated[int, Field(ge=32, le=4096, multiple_of=2)] = 128
    """Of the frames, in pixels; even, as the encoder asks."""
    height: Annotated[int, Field(ge=32, le=4096, multiple_of=2)] = 96
    """Of the frames, in pixels; even."""
    fps: Annotated[int, Field(ge=1, le=1000)] = 25
    """Frames a second; says how the files play, not how things move."""
    frames: tuple[Length, Length] = (32, 40)
    """Fewest and most frames of a clip."""
    train: Few = 40
    """Training clips of a class, in the first split."""
    test: Few = 25
    """Test clips of a class, in the first split."""
    clips: Few = 60
    """Clips of a corpus or of a flow set."""

    def __post_init__(self) -> None:
        """Refuse lengths the wrong way round.

        Raises:
            ValueError: naming the setting.
        """
        if self.frames[0] > self.frames[1]:
            raise ValueError("frames: the fewest come first, the most last")


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Generation:
    """A data set to generate."""

    dataset: str
    """Its name; another name gives other clips."""
    generated: Generated
    """What to generate."""
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Decoding:
    """A shard of frames to decode."""

    dataset: str
    source: Source
    part: Part
    shard: int
    """Which, from 0."""
    shards: int
    """How many the part is cut into."""
    reading: Reading
    """Which frames to keep of a clip."""
    around: int = 0
    """Frames to keep on each side of those, for networks that read several."""
    detail_at: int | None = None
    """Shrink by this factor to measure fine detail, 1 for clips that are low."""

    @property
    def modules(self) -> list[str]:
        """The modules that choose the frames, for the digest of code."""
        return self.reading.modules


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Listing:
    """A data set whose classes or clips are listed."""

    dataset: str
    source: Source
    max_rejected: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Largest fraction of the clips that may be unusable before the run stops."""
