"""How a super-resolution network is trained, typed; imports no PyTorch."""

from dataclasses import field, fields
from typing import Any, Literal

from pydantic.dataclasses import dataclass

from twinlens.networks import schedule
from twinlens.patches.settings import Split
from twinlens.settings import STRICT, Count, Few, NotNegative, Rate, Share

ONLY_FOR = {
    "criterion": ("mse", "tosr"),
    "pixels": ("mse", "wmse", "sosr", "tosr"),
    "alpha": ("sosr",),
    "auto_batches": ("sosr",),
    "terms": ("tosr",),
    "outside": ("tosr",),
    "sign": ("tosr",),
    "weighting": ("wmse", "sosr"),
    "power": ("wmse", "sosr"),
}
"""Settings of a loss that only some kinds have."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Loss:
    """What is minimised."""

    kind: Literal["mse", "wmse", "sosr", "tosr", "own"]
    """MSE; "wmse" of eq. 1; "sosr" of eq. 2: wmse and perceptual; "tosr" of eq. 3:
    siamese, on pairs; "own", of a network whose file has one."""
    pixels: Literal["luma", "rgb"] = "luma"
    """What the pixel terms compare; luma is what VDSR's network changes."""
    criterion: Literal["mse", "huber"] = "mse"
    """Of mse and tosr; the released ToSR2 has "huber", with delta 0.01."""
    weighting: Literal["none", "mean1", "clip20"] = "none"
    """How speed becomes weight in wmse and sosr, see `losses.weight_map`."""
    power: Literal[1, 2] = 1
    """Of the weight (eq. 1: 1); the released SoSR's code has 2 in effect."""
    alpha: Share | Literal["auto"] = "auto"
    """Of sosr: weight of the perceptual term, that of wmse is 1 - alpha. "auto" brings
    both terms to one scale on the first batches."""
    auto_batches: Few = 20
    """Batches that "auto" measures both terms on, before the first step."""
    terms: tuple[NotNegative, NotNegative, NotNegative] = (1.0, 1.0, 1.0)
    """Of tosr: alpha, beta, gamma of eq. 3 (SR, warp-SR, warp-HR)."""
    outside: Literal["masked", "black"] = "masked"
    """Of tosr: what counts where motion leaves the frame."""
    sign: Literal["plus", "minus"] = "plus"
    """Of tosr: whether a frame is taken from p + F or from p - F, as section 3.3 prints
    it; with the flow from the first frame to the second, p + F is the one that fits."""

    def __post_init__(self) -> None:
        """Refuse settings that its kind would ignore.

        Raises:
            ValueError: naming the setting.
        """
        for each in fields(self):
            kinds = ONLY_FOR.get(each.name, (self.kind,))
            if self.kind not in kinds and getattr(self, each.name) != each.default:
                text = ", ".join(kinds)
                raise ValueError(f"{self.kind} has no {each.name}: {text} have")
        if not any(self.terms):
            raise ValueError("all terms are 0: nothing would be learnt")

    @property
    def parts(self) -> list[str]:
        """Name its unweighted terms, in order; a network names its own."""
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
        """Name the arrays of a patch that it reads, beside the network's input."""
        motion = {"wmse": ["speed"], "sosr": ["speed"], "tosr": ["flow"]}
        return ["high", *motion.get(self.kind, [])]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Recipe:
    """How a network is trained; the config's `training.recipe` with a method's own."""

    patches: str
    """The patch set, by its name in the config."""
    loss: Loss
    """What is minimised."""
    steps: Count
    """Optimiser steps."""
    lr: Rate
    """First learning rate of Adam, of weights."""
    bias_lr: NotNegative = 0.1
    """Times `lr` for biases (paper section 4.2: 1e-3 and 1e-4)."""
    batch: Few = 50
    """Patches (or pairs) a step."""
    schedule: Literal["steps", "cosine"] = "steps"
    """How the rate falls: at milestones, or by a cosine to zero."""
    milestones: tuple[Share, ...] = (0.25, 0.5, 0.75)
    """Fractions of `steps` after which the rate falls to a tenth (4.2: quarters)."""
    weight_decay: NotNegative = 1e-4
    """Added to the gradient, times the parameter (caffe-vdsr's solver)."""
    clip: Rate | None = None
    """Largest norm of all gradients together; none in the paper's Caffe solver."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Of the arithmetic, as Lightning Fabric names it."""
    validations: Count = 10
    """How often held-out patches are looked at: evenly, the last time at the end."""
    validation_patches: Count = 200
    """How many of them, spread over all."""

    def rate(self, step: int) -> float:
        """Compute the learning rate of a step."""
        return schedule.rate(step, self.steps, self.lr, self.schedule, self.milestones)

    def validates(self, step: int) -> bool:
        """Whether held-out patches are looked at when `step` steps are done."""
        mark = step * self.validations // self.steps
        return mark > (step - 1) * self.validations // self.steps


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class SrTraining:
    """A training of super-resolution: all that decides its network, inputs aside."""

    network: str
    """The method or start that it is for."""
    model: str
    """The network's file in `twinlens.models`."""
    recipe: Recipe
    """How to train."""
    split: Split
    """Which patches are held out."""
    corpus: str = ""
    """The data set that its patches are cut from."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Arguments of the model's `build`."""
    start: str | None = None
    """The network whose weights it begins with; random ones without."""
    after_relu: bool = True
    """Whether the perceptual network's conv3_3 is taken after its ReLU."""
    seed: int = 0
    """Decides first weights, order and split."""
