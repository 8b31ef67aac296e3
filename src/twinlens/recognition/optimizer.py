"""Parameters of a recogniser's network in groups, for SGD."""

from typing import Any

from torch import Tensor, nn


def parameter_groups(
    network: nn.Module,
    weight_decay: float,
    first_conv: str | None = None,
    *,
    free_norms: bool = False,
) -> list[dict[str, Any]]:
    """Group parameters by learning rate: biases twice, without decay.

    Args:
        network: whose parameters learn, but for frozen ones.
        weight_decay: of weights.
        first_conv: the convolution that learns five times as fast: that of a flow
            network which starts from an image network's (TSN's prototxt: 5 and 10).
        free_norms: whether scales of batch normalisations learn twice as fast and their
            shifts as fast as weights, neither with decay (MatConvNet's, ST-ResNet).
    """
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, part in network.named_modules():
        norm = free_norms and isinstance(part, nn.BatchNorm2d)
        for kind, parameter in part.named_parameters(recurse=False):
            if not parameter.requires_grad:
                continue
            twice = (kind == "weight") if norm else (kind == "bias")
            times = (2.0 if twice else 1.0) * (5.0 if name == first_conv else 1.0)
            decay = 0.0 if norm or kind == "bias" else weight_decay
            groups.setdefault((times, decay), []).append(parameter)
    return [
        {"params": parameters, "times": times, "weight_decay": decay}
        for (times, decay), parameters in groups.items()
    ]
