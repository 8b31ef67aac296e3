"""Parameters of a recogniser's network in groups, for SGD."""

from typing import Any

from torch import Tensor, nn


def parameter_groups(
    network: nn.Module,
    weight_decay: float,
    first_conv: str | None = None,
    *,
    norms: tuple[float, float] | None = None,
) -> list[dict[str, Any]]:
    """Group parameters by learning rate: biases twice, without decay.

    Args:
        network: whose parameters learn, but for frozen ones.
        weight_decay: of weights.
        first_conv: the convolution that learns five times as fast: that of a flow
            network which starts from an image network's (TSN's prototxt: 5 and 10).
        norms: how many times as fast as weights the scales and the shifts of batch
            normalisations learn, then without decay: (1, 1) in TSN's prototxt, (2, 1)
            in MatConvNet, ST-ResNet's; None takes them for weights and biases.
    """
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, part in network.named_modules():
        free = norms if isinstance(part, nn.BatchNorm2d) else None
        for kind, parameter in part.named_parameters(recurse=False):
            if not parameter.requires_grad:
                continue
            of_weight, of_bias = free or (1.0, 2.0)
            times = of_bias if kind == "bias" else of_weight
            times *= 5.0 if name == first_conv else 1.0
            decay = 0.0 if free or kind == "bias" else weight_decay
            groups.setdefault((times, decay), []).append(parameter)
    return [
        {"params": parameters, "times": times, "weight_decay": decay}
        for (times, decay), parameters in groups.items()
    ]
