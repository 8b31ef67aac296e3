"""How a super-resolution network is trained, typed; imports no PyTorch."""

from dataclasses import dataclass
from typing import Literal

from twinlens import steps


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """What is minimised; the config's `recipe.loss`, typed.

    `kind` says which: "mse"; "wmse" (eq. 1); "sosr" (eq. 2: wmse and perceptual);
    "tosr" (eq. 3: siamese, on pairs); "own", of a network whose file has one.
    """

    kind: Literal["mse", "wmse", "sosr", "tosr", "own"]
    pixels: Literal["luma", "rgb"] = "luma"
    """What the pixel terms compare; luma is what VDSR's network changes."""
    criterion: Literal["mse", "huber"] = "mse"
    """Of mse and tosr; the released ToSR2 has "huber"."""
    weighting: Literal["none", "mean1", "clip20"] = "none"
    """How speed becomes weight in wmse and sosr, see `losses.weight_map`."""
    power: Literal[1, 2] = 1
    """Of the weight; the released SoSR's code has 2 in effect."""
    alpha: float | Literal["auto"] = "auto"
    """Of sosr: weight of the perceptual term, that of wmse is 1 - alpha. "auto" brings
    both terms to one scale on the first batches."""
    auto_batches: int = 20
    """Batches that "auto" measures both terms on, before the first step."""
    terms: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Of tosr: alpha, beta, gamma of eq. 3 (SR, warp-SR, warp-HR)."""
    outside: Literal["masked", "black"] = "masked"
    """Of tosr: what counts where motion leaves the frame."""
    sign: Literal["plus", "minus"] = "plus"
    """Of tosr: whether a frame is taken from p + F or from p - F, as section 3.3 prints
    it; with the flow from the first frame to the second, p + F is the one that fits."""

    @property
    def parts(self) -> list[str]:
        """The names of its unweighted terms, in order; a network names its own."""
        names: dict[str, list[str]] = {
            "mse": [self.criterion],
            "wmse": ["wmse"],
            "sosr": ["wmse", "perceptual"],
            "tosr": ["sr", "warp_sr", "warp_hr"],
            "own": [],
        }
        return names[self.kind]

    @property
    def needs_pairs(self) -> bool | None:
        """Whether patches must be pairs of frames, or must not; None for either."""
        return None if self.kind in ("mse", "own") else self.kind == "tosr"

    @property
    def wanted(self) -> list[str]:
        """The arrays of a patch that it reads, beside the network's input."""
        motion = {"wmse": ["speed"], "sosr": ["speed"], "tosr": ["flow"]}
        return ["high", *motion.get(self.kind, [])]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How a network is trained; the config's `training.recipe` with a method's own."""

    patches: str
    """The patch set, by its name in the config."""
    loss: Loss
    steps: int
    """Optimiser steps."""
    lr: float
    """First learning rate of Adam, of weights."""
    bias_lr: float = 0.1
    """Times `lr` for biases (paper section 4.2: 1e-3 and 1e-4)."""
    batch: int = 50
    """Patches (or pairs) a step."""
    schedule: Literal["steps", "cosine"] = "steps"
    milestones: tuple[float, ...] = (0.25, 0.5, 0.75)
    """Parts of `steps` after which the rate falls to a tenth (4.2: quarters)."""
    weight_decay: float = 1e-4
    """Added to the gradient, times the parameter (caffe-vdsr's solver)."""
    clip: float | None = None
    """Largest norm of all gradients together; none in the paper's Caffe solver."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Of the arithmetic, as Lightning Fabric names it."""
    validations: int = 10
    """How often held-out patches are looked at: evenly, the last time at the end."""
    validation_patches: int = 200
    """How many of them, spread over all."""

    def __post_init__(self) -> None:
        """Refuse a training that would not train.

        Raises:
            ValueError: steps, batch or validations below 1.
        """
        if min(self.steps, self.batch, self.validations, self.validation_patches) < 1:
            raise ValueError(
                "a recipe needs steps, batch, validations and validation_patches of 1"
                f" or more: {self}"
            )

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return steps.rate(step, self.steps, self.lr, self.schedule, self.milestones)

    def validates(self, step: int) -> bool:
        """Whether held-out patches are looked at when `step` steps are done."""
        mark = step * self.validations // self.steps
        return mark > (step - 1) * self.validations // self.steps


@dataclass(frozen=True, kw_only=True, slots=True)
class GlyphRecipe:
    """How the narrow perceptual network is trained; `training.perceptual.recipe`."""

    widths: tuple[int, int, int] = (8, 16, 32)
    """Channels of VGG-16's first three blocks."""
    steps: int = 400
    batch: int = 32
    lr: float = 2e-3
    """Of Adam, down to zero by a cosine."""
    side: int = 48
    """Of the generated pictures, in pixels."""
