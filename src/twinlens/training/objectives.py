"""Compute a recipe's loss on a batch of patches, its parts named for the log.

B patches, P frames of each (2 of a pair), S side, T window.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from twinlens import colour, losses, models
from twinlens.errors import ArtifactError
from twinlens.training.recipe import Loss

Batch = Mapping[str, Tensor]
CRITERIA = {"mse": losses.mse, "huber": losses.huber}


def output_frames(network: Any, batch: Batch) -> Tensor:
    """Compute the network's output for a batch: (P B, 3, S, S), RGB 0..1.

    First all first frames, then all second ones: one pass of one network is the
    siamese network's two copies with shared weights.

    Raises:
        ArtifactError: the network's output has another shape.
    """
    # ASSUME: section 3.3 is silent on batch normalisation (ToSR2): statistics are of
    # both copies' frames together here, of each copy's own in the released code.
    if input_of(network) == "interpolated":
        interpolated = flat(batch["interpolated"])
        output: Tensor = network.refine(interpolated)
        return _shaped(output, interpolated.shape, network)
    low = low_frames(network, batch)
    parts, (height, width) = len(low), low.shape[-2:]
    wanted = torch.Size([parts, 3, models.SCALE * height, models.SCALE * width])
    return _shaped(network(low), wanted, network)


def _shaped(output: Tensor, wanted: torch.Size, network: Any) -> Tensor:
    """Check that the output's shape is as `twinlens.models` says."""
    if output.shape != wanted:
        raise ArtifactError(
            f"{type(network).__name__} gives pictures of shape {tuple(output.shape)},"
            f" but must give {tuple(wanted)}: (pictures, colours, height, width)"
        )
    return output


def own_terms(network: Any, batch: Batch, done: float) -> dict[str, Tensor]:
    """Compute the network's own loss terms at training progress `done` in [0, 1]."""
    terms: dict[str, Tensor] = network.own_loss(
        low_frames(network, batch), flat(batch["high"]), done
    )
    return terms


def low_frames(network: Any, batch: Batch) -> Tensor:
    """Select the low-resolution frames that a network reads."""
    low = flat(batch["low"])
    reads = low.shape[1] if network.frames == models.WHOLE_CLIP else network.frames
    spare = (low.shape[1] - reads) // 2
    return low[:, spare : spare + reads]


def flat(frames_bp: Tensor) -> Tensor:
    """Convert bytes (B, P, ..., h, w, 3) to (P B, ..., 3, h, w) in 0..1."""
    return frames_bp.transpose(0, 1).flatten(0, 1).movedim(-1, -3).float() / 255


def input_of(network: nn.Module) -> str:
    """Name the array of a patch that a network reads."""
    return "interpolated" if hasattr(network, "refine") else "low"


class Objective:
    """The loss of eq. 1, 2 or 3 (or plain MSE), as the recipe has it."""

    def __init__(self, loss: Loss, features: nn.Module | None = None) -> None:
        """Take the perceptual network, which "sosr" needs.

        Raises:
            ValueError: it is needed and not there.
        """
        if loss.kind == "sosr" and features is None:
            raise ValueError("loss sosr needs the perceptual network")
        self.loss, self.features = loss, features
        self.alpha = None if loss.alpha == "auto" else float(loss.alpha)
        self._terms: dict[str, Callable[[Tensor, Tensor, Batch], list[Tensor]]] = {
            "mse": self._mse,
            "wmse": self._wmse,
            "sosr": self._sosr,
            "tosr": self._tosr,
        }

    def parts(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Compute the unweighted terms of the loss, as `Loss.parts` names them.

        Args:
            output: (P B, 3, S, S) from `output_frames`.
            batch: `high` uint8 (B, P, S, S, 3), and `speed` (B, S, S) or `flow`
                (B, 2, S, S) as the loss wants them.
        """
        terms = self._terms[self.loss.kind](output, flat(batch["high"]), batch)
        return dict(zip(self.loss.parts, terms, strict=True))

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Sum the weighted terms.

        Raises:
            ValueError: alpha is "auto" and was not set yet.
        """
        if self.loss.kind == "own":
            return torch.stack(list(parts.values())).sum()
        if self.loss.kind == "tosr":
            return sum(
                (weight * part for weight, part in self._weighted(parts)),
                start=torch.zeros((), device=next(iter(parts.values())).device),
            )
        if self.loss.kind != "sosr":
            return next(iter(parts.values()))
        if self.alpha is None:
            raise ValueError("alpha is still to be measured")
        return (1 - self.alpha) * parts["wmse"] + self.alpha * parts["perceptual"]

    def _weighted(self, parts: Mapping[str, Tensor]) -> list[tuple[float, Tensor]]:
        # A weight of 0 (the paper's gamma) leaves its term out, infinities and all.
        pairs = zip(self.loss.terms, parts.values(), strict=True)
        return [(weight, part) for weight, part in pairs if weight]

    def _pixels(self, pictures: Tensor) -> Tensor:
        if self.loss.pixels == "rgb":
            return pictures
        return colour.luma(*pictures.unbind(1))[:, None]

    def _mse(self, output: Tensor, target: Tensor, batch: Batch) -> list[Tensor]:
        criterion = CRITERIA[self.loss.criterion]
        return [criterion(self._pixels(output), self._pixels(target))]

    def _wmse(self, output: Tensor, target: Tensor, batch: Batch) -> list[Tensor]:
        weight = losses.weight_map(batch["speed"].float(), self.loss.weighting)
        pixels = self._pixels(output), self._pixels(target)
        return [losses.wmse(*pixels, weight, self.loss.power)]

    def _sosr(self, output: Tensor, target: Tensor, batch: Batch) -> list[Tensor]:
        assert self.features is not None
        seen = losses.perceptual(output, target, self.features)
        return [*self._wmse(output, target, batch), seen]

    def _tosr(self, output: Tensor, target: Tensor, batch: Batch) -> list[Tensor]:
        output_first, output_second = self._pixels(output).chunk(2)
        target_first, target_second = self._pixels(target).chunk(2)
        found = losses.siamese(
            output_first,
            output_second,
            target_first,
            target_second,
            batch["flow"].float() * (1 if self.loss.sign == "plus" else -1),
            CRITERIA[self.loss.criterion],
            masked=self.loss.outside == "masked",
        )
        return list(found)


def even_alpha(wmse: float, perceptual: float) -> float:
    """Find the alpha that brings (1 - alpha) wmse and alpha perceptual to one size."""
    return wmse / max(wmse + perceptual, 1e-30)
