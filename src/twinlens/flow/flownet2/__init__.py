"""FlowNet2: optical flow by a cascade of networks (Ilg et al., CVPR 2017).

    from twinlens.flow.flownet2.cascade import build, estimate

    network = build()
    flow = estimate(network, first, second)

Weights are research only where LMB published them; its licence says more. Imports
nothing by itself, so that a recipe costs no PyTorch.
"""
