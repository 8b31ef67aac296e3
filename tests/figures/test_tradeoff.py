"""Spatial against temporal accuracy, and accuracy against fidelity."""

import numpy as np
import pandas as pd
import pytest

from tests.tables import scores
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.figures import fidelity
from twinlens.figures.draw import draw_figure
from twinlens.quality import QUALITY
from twinlens.tables.settings import FigureJob

RIGHT = {
    "bicubic": {"Ada": 2, "Ben": 3},
    "vdsr": {"Ada": 4, "Ben": 5},
    "sosr": {"Ada": 6, "Ben": 7},
    "tosr2": {"Ada": 8, "Ben": 9},
    "hr": {"Ada": 9, "Ben": 9},
}
LABELS = {"bicubic": "Bicubic", "vdsr": "VDSR", "sosr": "SoSR", "tosr2": "ToSR2"}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    return [
        scores.shard(folder, "one", name, RIGHT[name], heads=scores.HEADS)
        for name in RIGHT
    ]


def job(module):
    about = scores.dataset("One", generated=True)
    names = {name: LABELS.get(name) for name in RIGHT}
    methods = {name: scores.method(name, label) for name, label in names.items()}
    layout = scores.layout(methods, {"one": about})
    return FigureJob(module=module, dataset="one", layout=layout)


def test_each_method_is_a_point_with_intervals(tmp_path, shards, axes):
    draw_figure(shards, job("tradeoff"), tmp_path / "one.png")
    for ending in ("png", "pdf", "svg"):
        assert (tmp_path / f"one.{ending}").stat().st_size > 5_000
    (axis,) = axes
    bars = {each.get_label(): each.lines[0] for each in axis.containers}
    assert set(bars) == {*LABELS.values(), "HR"}
    places = {label: tuple(*each.get_xydata()) for label, each in bars.items()}
    assert places["Bicubic"] == pytest.approx((25, 25))
    assert places["ToSR2"] == pytest.approx((85, 85))
    assert "spatial stream: mean class accuracy" in axis.get_xlabel()
    assert "generated data" in axis.figure.get_suptitle()


def test_the_bars_are_the_intervals_of_table_3(tmp_path, shards, axes):
    shown = job("tradeoff")
    draw_figure(shards, shown, tmp_path / "one.png")
    files = scores.write(tmp_path, "table3", shards, shown.layout)
    rows = pd.read_csv(files.long, comment="#").set_index(["method", "stream"])
    for drawn in axes[0].containers:
        across, up = (lines.get_segments()[0] for lines in drawn.lines[2])
        for stream, ends in (("Spatial", across[:, 0]), ("Temporal", up[:, 1])):
            row = rows.loc[drawn.get_label(), stream]
            assert ends == pytest.approx([row["low"], row["high"]], abs=0.006)


def quality(folder, ranks):
    """A csv of clips whose PSNR rises with a rank."""
    files = []
    for name, rank in ranks.items():
        rows = [
            {
                "clip": f"{kind}/{index:02d}",
                "dataset": "one",
                "method": name,
                "psnr": 20 + rank + 0.01 * index,
                "ssim": 0.5 - 0.01 * rank,
                "warping_error": "" if index == 0 else 0.001 * (rank + index),
                "frames": 3,
                "pairs": 2,
            }
            for kind in ("Ada", "Ben")
            for index in range(10)
        ]
        files.append(folder / f"{name}.csv")
        write_csv(files[-1], QUALITY, pd.DataFrame(rows))
    return files


def test_fidelity_has_a_panel_for_each_head_and_measure(tmp_path, shards, axes):
    files = quality(tmp_path, {name: rank for rank, name in enumerate(LABELS)})
    draw_figure([*shards, *files], job("fidelity"), tmp_path / "one.png")
    assert len(axes) == 6
    titles = [axis.get_title() for axis in axes]
    assert titles[0].startswith("rho 1.00 (")
    assert titles[1].startswith("rho -1.00 (")
    assert axes[0].get_xlabel() == "PSNR-Y"
    assert axes[2].get_xlabel() == "Warping error x 1000"
    assert [line.get_label() for line in axes[0].lines] == list(LABELS.values())


def test_a_method_without_measures_is_an_error(tmp_path, shards):
    files = quality(tmp_path, {"bicubic": 0})
    with pytest.raises(ArtifactError, match="no quality of vdsr on one"):
        draw_figure([*shards, *files], job("fidelity"), tmp_path / "one.png")


def test_a_correlation_s_interval_redraws_clips():
    rng = np.random.default_rng(0)
    skill = np.linspace(0.2, 0.8, 6)[:, None]
    correct = (rng.random((6, 300)) < skill).astype(float)
    values = skill + rng.normal(0, 0.01, (6, 300))
    rho, low, high = fidelity.correlation(values, correct)
    assert rho == pytest.approx(1)
    assert 0.8 < low <= high <= 1
    noise = rng.normal(size=(6, 300))
    _, low, high = fidelity.correlation(noise, correct)
    assert low < 0 < high


def test_methods_that_are_all_alike_have_no_correlation():
    same = np.ones((4, 10))
    assert np.isnan(fidelity.correlation(same, same)[0])
