"""What a patch set holds; the config's `patches.<name>` and `training.split`, typed."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from twinlens.settings import STRICT, Few

PATCHES = "patches/1"


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class PatchSettings:
    """How patches are cut and which are kept."""

    pair: bool = False
    """Whether a patch holds both frames of a pair and their flow (ToSR), or the first
    frame and its speed (SoSR)."""
    size: Annotated[int, Field(ge=16, le=4096, multiple_of=4)] = 128
    """Side of a patch in pixels of the original; a multiple of 4."""
    crops: Few = 10
    """Crops of each pair, those with most motion."""
    stride: tuple[Few, Few] = (40, 30)
    """Steps between candidates, across and down, in pixels."""
    margin: Annotated[int, Field(ge=0, le=2048)] = 10
    """Pixels at a crop's borders that don't count when crops are ranked and checked."""
    window: Few = 1
    """Low-resolution frames around each frame; what a network of T frames reads."""
    cut: Literal["frame", "patch"] = "frame"
    """"frame" makes low-resolution and interpolated frames whole and cuts them (the
    paper's text); "patch" cuts first and shrinks the patch (the released code)."""
    first_twice: bool = False
    """Whether the first candidate stands twice in the ranking, as in the released code:
    a crop can then be there two times."""
    least_pair_psnr: float | None = 18.0
    """dB between the frames of a pair; below, it is taken for a scene cut."""
    least_variance: Annotated[float, Field(ge=0)] = 0.001
    """Of a crop's luma, 0..1; below, a patch is flat or black and dropped."""
    warp_must_help: bool = False
    """Whether a patch is dropped unless PSNR(first, second brought back along the flow)
    is above PSNR(first, second)."""

    def __post_init__(self) -> None:
        """Refuse what can't be cut.

        Raises:
            ValueError: naming the setting and what it may be.
        """
        if self.size <= 2 * self.margin:
            raise ValueError(
                f"size {self.size} must be more than twice the margin {self.margin}"
            )
        if self.window % 2 == 0:
            raise ValueError(f"window {self.window} must be odd, such as 1, 7")


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Split:
    """Which patches are held out for validation."""

    by: Literal["clip", "pair"] = "clip"
    """"clip" holds out whole clips. "pair" holds out random pairs, as the authors'
    released lists do: patches of one clip then stand on both sides, and the validation
    PSNR is too good."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.0655
    """Of the clips or pairs (released: 1,044 of 15,940 pairs)."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Cutting:
    """A shard of a patch set to cut."""

    patches: str
    """The set, by its name in the config."""
    dataset: str
    """The corpus."""
    flow: str
    """The entry of `flows` that estimated its motion."""
    gap: Few
    """Frames from a pair's first to its second."""
    settings: PatchSettings
    seed: int
    """Draws the grids of candidates."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Counting:
    """A patch set to count."""

    patches: str
    """The set, by its name in the config."""
    corpus: str
    """Label of the data set that it is cut from."""
    paper: str | None
    """The corpus of the paper that this is; None for another."""
    split: Split
    seed: int
    """Of the split."""
