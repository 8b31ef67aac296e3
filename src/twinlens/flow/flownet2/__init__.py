"""FlowNet2: optical flow by a cascade of networks (Ilg et al., CVPR 2017).

    network = flownet2.build()
    flow = flownet2.estimate(network, first, second)

Weights are research only where LMB published them; its licence says more.
"""

from twinlens.flow.flownet2.artifact import FLOWNET2, load
from twinlens.flow.flownet2.cascade import FlowNet2, build, estimate, normalised
from twinlens.flow.flownet2.published import convert

__all__ = [
    "FLOWNET2",
    "FlowNet2",
    "build",
    "convert",
    "estimate",
    "load",
    "normalised",
]
