"""Numbers that the paper prints, to stand beside ours and never in their place.

Zhang, Liu, Xiong: Two-Stream Oriented Video Super-Resolution for Action Recognition,
arXiv 1903.05577 version 1 (2019).
"""

STREAMS = ("Spatial", "Temporal", "Fusion")

# Table 3: TSN, mean class accuracy in percent on split 1; UCF101 then HMDB51.
TABLE3: dict[str, tuple[float | None, ...]] = {
    "Bicubic": (71.25, 81.08, 87.87, 42.81, 56.54, 63.53),
    "VDSR": (67.09, 79.81, 86.84, 46.60, 55.10, 63.59),
    "SoSR": (76.88, 80.71, 89.12, 49.48, 54.51, 65.10),
    "ToSR1": (63.77, 83.88, 87.72, 44.58, 58.76, 64.38),
    "SPMC": (70.42, 80.19, 87.15, 48.95, 56.41, 64.31),
    "VSR-DUF-16": (68.56, 84.89, 89.36, 48.37, 59.48, 66.08),
    "VSR-DUF-52": (70.54, 85.09, 89.85, 48.50, 60.52, 66.86),
    "ToSR2": (64.32, 85.22, 87.95, 46.99, 61.24, 65.62),
    "SoSR+ToSR2": (None, None, 91.18, None, None, 67.12),
    "HR": (86.02, 87.63, 93.49, 54.58, 62.16, 69.28),
}
# Table 2: TSN's spatial stream by SoSR's loss, in percent; UCF101 then HMDB51.
TABLE2 = {
    "MSE": (67.09, 46.60),
    "WMSE": (74.10, 47.91),
    "WMSE+Perceptual": (76.88, 49.48),
}
DATASETS = ("UCF101", "HMDB51")
# Test clips and classes of the complete official split 1.
COMPLETE = {"UCF101": (3783, 101), "HMDB51": (1530, 51)}


def table2(loss: str, dataset: str) -> float | None:
    """The printed value of a cell, or None where there is none."""
    if loss not in TABLE2 or dataset not in DATASETS:
        return None
    return TABLE2[loss][DATASETS.index(dataset)]


def table3(method: str, dataset: str, stream: str) -> float | None:
    """The printed value of a cell, or None where there is none."""
    if method not in TABLE3 or dataset not in DATASETS:
        return None
    column = 3 * DATASETS.index(dataset) + STREAMS.index(stream)
    return TABLE3[method][column]
