"""What a patch set holds; the config's `patches.<name>` and `training.split`, typed."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

PATCHES = "patches/1"


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchSettings:
    """How patches are cut and which are kept."""

    pair: bool = False
    """Whether a patch holds both frames of a pair and their flow (ToSR), or the first
    frame and its speed (SoSR)."""
    size: int = 128
    """Side of a patch in pixels of the original; a multiple of 4."""
    crops: int = 10
    """Crops of each pair, those with most motion."""
    stride: tuple[int, int] = (40, 30)
    """Steps between candidates, across and down, in pixels."""
    margin: int = 10
    """Pixels at a crop's borders that don't count when crops are ranked and judged."""
    window: int = 1
    """Low-resolution frames around each frame; what a network of T frames reads."""
    cut: Literal["frame", "patch"] = "frame"
    """"frame" makes low-resolution and interpolated frames whole and cuts them (the
    paper's text); "patch" cuts first and shrinks the patch (the released code)."""
    first_twice: bool = False
    """Whether the first candidate stands twice in the ranking, as in the released code:
    a crop can then be there two times."""
    least_pair_psnr: float | None = 18.0
    """dB between the frames of a pair; below, it is taken for a scene cut."""
    least_variance: float = 0.001
    """Of a crop's luma, 0..1; below, a patch is flat or black and dropped."""
    warp_must_help: bool = False
    """Whether a patch is dropped unless PSNR(first, second brought back along the flow)
    is above PSNR(first, second)."""

    def __post_init__(self) -> None:
        """Refuse what can't be cut.

        Raises:
            ValueError: naming the setting and what it may be.
        """
        if self.size % 4 or self.size <= 2 * self.margin:
            raise ValueError(
                f"patches: size {self.size} must be a multiple of 4 and more than twice"
                f" the margin {self.margin}"
            )
        if self.window < 1 or self.window % 2 == 0:
            raise ValueError(f"patches: window {self.window} must be odd, such as 1, 7")

    def settings(self) -> dict[str, Any]:
        """The fields as a mapping, for an artifact's `about`."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Which patches are held out for validation."""

    by: Literal["clip", "pair"] = "clip"
    """"clip" holds out whole clips. "pair" holds out random pairs, as the authors'
    released lists do: patches of one clip then stand on both sides, and the validation
    PSNR is too good."""
    share: float = 0.0655
    """Of the clips or pairs (released: 1,044 of 15,940 pairs)."""
