"""Parameters of a recogniser's network in groups, for SGD."""

from typing import Any

from torch import Tensor, nn


def parameter_groups(
    network: nn.Module, weight_decay: float, first_conv: str | None = None
) -> list[dict[str, Any]]:
    """Group parameters by learning rate: biases twice, without decay.

    So train TSN's networks and ST-ResNet's.

    Args:
        network: whose parameters learn, but for frozen ones.
        weight_decay: of weights.
        first_conv: the convolution that learns five times as fast: that of a flow
            network which starts from an image network's (TSN's prototxt: 5 and 10).
    """
    first = {f"{first_conv}.{kind}" for kind in ("weight", "bias") if first_conv}
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        bias = name.endswith(".bias")
        times = (2.0 if bias else 1.0) * (5.0 if name in first else 1.0)
        decay = 0.0 if bias else weight_decay
        groups.setdefault((times, decay), []).append(parameter)
    return [
        {"params": parameters, "times": times, "weight_decay": decay}
        for (times, decay), parameters in groups.items()
    ]
