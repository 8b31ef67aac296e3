"""Fidelity and temporal consistency of every method's frames, data set by data set."""

from pathlib import Path

import numpy as np
import pandas as pd

from twinlens import provenance
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.quality import QUALITY
from twinlens.tables import forms
from twinlens.tables.forms import Files
from twinlens.tables.settings import Layout, TableJob

# Column of the clips' csv: its name in the table, factor, digits.
MEASURES = {
    "psnr": ("PSNR-Y", 1.0, 2),
    "ssim": ("SSIM", 1.0, 4),
    "warping_error": ("Warping error", 1000.0, 3),
}
LONG = "method dataset measure value low high clips frames data".split()
DRAWS = 2_000


def table(inputs: list[Path], job: TableJob, files: Files) -> None:
    """Write the table in its forms.

    PSNR and SSIM are of luma (PSNR in dB, the mean of single frames' values; 4 pixels
    cut at each border), the warping error is that of Lai et al., ECCV 2018, times 1000,
    along the original's TV-L1 flow. Intervals redraw clips.

    Args:
        inputs: csv of clips, each with its data set and method.
        job: its layout has rows, columns and their names.
        files: where its forms go.
    """
    layout = job.layout
    clips = joined(inputs)
    names = [name for name in forms.order(layout) if any(k[1] == name for k in clips)]
    lines = [
        {"method": layout.methods[name].label, **line}
        for name in names
        for dataset in layout.datasets
        if (dataset, name) in clips
        for line in _lines(clips[dataset, name], dataset, name, layout, job.seed)
    ]
    found = pd.DataFrame(lines, columns=LONG)
    what = "PSNR (dB) and SSIM of luma, warping error of colours x 1000"
    forms.write(
        files,
        forms.head("quality", layout, what),
        _wide(found, layout, names),
        found,
        ["4 pixels are cut at each border for PSNR and SSIM; lower warping errors are"]
        + ["steadier, but a blurred video is steady too: HR has one of its own."],
    )


def joined(paths: list[Path]) -> dict[tuple[str, str], pd.DataFrame]:
    """Join the clips of each data set and method.

    Args:
        paths: csv "quality/2" of shards.
    """
    found: dict[tuple[str, str], list[pd.DataFrame]] = {}
    for path in paths:
        rows = read_csv(path, QUALITY)
        for (dataset, method), clips in rows.groupby(["dataset", "method"]):
            found.setdefault((str(dataset), str(method)), []).append(clips)
    return {key: pd.concat(each, ignore_index=True) for key, each in found.items()}


def _lines(
    clips: pd.DataFrame, dataset: str, method: str, layout: Layout, seed: int
) -> list[dict[str, object]]:
    """Write a line for each measure; HR has no PSNR and SSIM against itself."""
    about = layout.datasets[dataset]
    lines: list[dict[str, object]] = []
    for column, (name, factor, digits) in MEASURES.items():
        values = factor * pd.to_numeric(clips[column], errors="coerce").to_numpy(float)
        if np.isinf(values).any() or (
            column != "warping_error" and np.isnan(values).any()
        ):
            raise ArtifactError(f"{dataset} {method}: {name} is no number for a clip")
        values = values[~np.isnan(values)]
        if not len(values) or (method == "hr" and column != "warping_error"):
            continue
        rng = np.random.default_rng(provenance.seed(seed, method, dataset, column))
        drawn = rng.choice(values, size=(DRAWS, len(values))).mean(axis=1)
        low, high = np.percentile(drawn, [2.5, 97.5])
        lines.append(
            {
                "dataset": about.label,
                "measure": name,
                "value": f"{values.mean():.{digits}f}",
                "low": f"{low:.{digits}f}",
                "high": f"{high:.{digits}f}",
                "clips": len(values),
                "frames": int(clips["pairs" if factor > 1 else "frames"].sum()),
                "data": "generated" if about.generated else "real",
            }
        )
    return lines


def _wide(found: pd.DataFrame, layout: Layout, names: list[str]) -> pd.DataFrame:
    columns = [
        (about.label, name)
        for about in layout.datasets.values()
        if about.has_hr
        for name, _, _ in MEASURES.values()
    ]
    cells = found.set_index(["method", "dataset", "measure"])["value"].to_dict()
    labels = [layout.methods[name].label for name in names]
    rows = [
        [label, *(cells.get((label, *key), "") for key in columns)] for label in labels
    ]
    return pd.DataFrame(rows, columns=["Method", *map(" ".join, columns)])
