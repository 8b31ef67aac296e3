"""Numbers that the paper prints, to stand beside ours and never instead of them.

Zhang, Liu, Xiong: Two-Stream Oriented Video Super-Resolution for Action Recognition,
arXiv 1903.05577 version 1 (2019).
"""

STREAMS = ("Spatial", "Temporal", "Fusion")

Rows = dict[str, tuple[float | None, ...]]
# Table 3: TSN, mean class accuracy in percent on split 1; UCF101 then HMDB51.
TABLE3: Rows = {
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
# Table 4: ST-ResNet, in percent on split 1; UCF101 then HMDB51. Its digits are those of
# all clips, of streams with each of a clip's two views counted on its own (but for one
# last digit: SoSR's fusion on UCF101, see docs/audit.md).
TABLE4: Rows = {
    "Bicubic": (72.01, 78.28, 84.62, 43.59, 53.76, 59.48),
    "VDSR": (72.27, 79.43, 84.48, 49.18, 54.44, 60.20),
    "SoSR": (80.12, 78.87, 87.32, 53.40, 53.24, 63.33),
    "ToSR1": (67.45, 80.35, 83.00, 47.45, 56.44, 62.09),
    "SPMC": (74.45, 77.44, 84.09, 53.14, 53.53, 63.66),
    "VSR-DUF-16": (72.11, 80.06, 83.90, 50.62, 55.07, 61.11),
    "VSR-DUF-52": (74.49, 80.16, 84.88, 52.84, 57.61, 65.23),
    "ToSR2": (69.69, 80.37, 83.43, 51.47, 58.73, 64.31),
    "SoSR+ToSR2": (None, None, 87.58, None, None, 65.82),
    "HR": (88.01, 85.71, 92.94, 56.01, 59.41, 68.10),
}
ACCURACIES: dict[str | None, Rows] = {"TSN": TABLE3, "ST-ResNet": TABLE4}
"""By recogniser."""
# Table 2: TSN's spatial stream by SoSR's loss, in percent; UCF101 then HMDB51.
TABLE2 = {
    "MSE": (67.09, 46.60),
    "WMSE": (74.10, 47.91),
    "WMSE+Perceptual": (76.88, 49.48),
}
ROWS = (*TABLE3,)
"""The methods that the paper prints."""
ClassRows = dict[str, tuple[str, tuple[float, ...]]]
# Tables 1 and 5: TSN's spatial stream, share of a class's clips correct, in
# percent, on UCF101. Table 1 by case, Table 5 by whether SR harms or helps a class.
TABLE1_METHODS = ("HR", "Bicubic", "VDSR")
TABLE1: ClassRows = {
    "Archery": ("a", (82.93, 36.59, 70.73)),
    "PlayingFlute": ("a", (97.92, 72.92, 79.17)),
    "JumpRope": ("b", (39.47, 42.11, 7.89)),
    "SalsaSpin": ("b", (79.07, 83.72, 53.49)),
    "FrontCrawl": ("c", (64.86, 32.43, 78.38)),
    "HandstandWalking": ("c", (35.29, 29.41, 41.18)),
}
TABLE5_METHODS = ("Bicubic", "VDSR", "SPMC", "VSR-DUF-52", "SoSR")
TABLE5: ClassRows = {
    "PoleVault": ("hard", (72.50, 27.50, 45.00, 45.00, 87.50)),
    "Swing": ("hard", (78.57, 21.43, 35.71, 30.95, 83.33)),
    # Printed as 18.73 twice, which no part of 49 clips is: 9 of 49 are 18.37.
    "TennisSwing": ("hard", (77.55, 20.41, 18.73, 18.73, 48.98)),
    "WalkingWithDog": ("hard", (77.78, 22.22, 19.44, 16.67, 47.22)),
    "WallPushups": ("easy", (8.57, 45.71, 71.43, 71.43, 65.71)),
    "TaiChi": ("easy", (46.43, 85.71, 92.86, 92.86, 89.29)),
    "FrontCrawl": ("easy", (32.43, 78.38, 91.89, 94.59, 89.19)),
}
CLASSES = {"1": (TABLE1_METHODS, TABLE1), "5": (TABLE5_METHODS, TABLE5)}
CLASSES_OF, CLASSES_BY = "UCF101", "TSN"
"""The data set of Tables 1 and 5, and the recogniser of Tables 1, 2 and 5."""
DATASETS = ("UCF101", "HMDB51")
# Test clips of these classes in UCF101's first split.
CLASS_CLIPS = {
    "Archery": 41,
    "PlayingFlute": 48,
    "JumpRope": 38,
    "SalsaSpin": 43,
    "FrontCrawl": 37,
    "HandstandWalking": 34,
    "PoleVault": 40,
    "Swing": 42,
    "TennisSwing": 49,
    "WalkingWithDog": 36,
    "WallPushups": 35,
    "TaiChi": 28,
}
# Test clips and classes of the complete official split 1.
COMPLETE = {"UCF101": (3783, 101), "HMDB51": (1530, 51)}


def table2(loss: str, dataset: str | None, recogniser: str | None) -> float | None:
    """Look up the printed value of a cell, or None where there is none."""
    if loss not in TABLE2 or dataset not in DATASETS or recogniser != CLASSES_BY:
        return None
    return TABLE2[loss][DATASETS.index(dataset)]


def accuracy(
    rows: Rows, method: str | None, dataset: str | None, stream: str
) -> float | None:
    """Look up the printed value of a cell of Table 3 or 4, or None for none."""
    if method not in rows or dataset not in DATASETS or stream not in STREAMS:
        return None
    return rows[method][3 * DATASETS.index(dataset) + STREAMS.index(stream)]


def classes(table: str, dataset: str | None) -> dict[str, tuple[str, dict[str, float]]]:
    """Look up the classes of Table 1 or 5: their cases and values by method.

    Args:
        table: "1" or "5".
        dataset: the paper's data set; it shows classes of UCF101 only.
    """
    methods, rows = CLASSES[table]
    return {
        name: (case, dict(zip(methods, values, strict=True)))
        for name, (case, values) in rows.items()
        if dataset == CLASSES_OF
    }
