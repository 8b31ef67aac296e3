import pandas as pd
import pytest

from tests.tables import scores
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError


def _measured(folder, method, psnr, error):
    path = folder / "one" / method / "test-00.csv"
    rows = pd.DataFrame(
        {
            "dataset": "one",
            "method": method,
            "clip": ["a/1", "a/2"],
            "frames": 3,
            "psnr": psnr,
            "ssim": [0.5, 0.7],
            "pairs": 2,
            "warping_error": error,
        }
    )
    write_csv(path, "quality/2", rows)
    return path


@pytest.fixture
def files(tmp_path):
    nan = float("nan")
    measured = [
        _measured(tmp_path, "bicubic", [25.0, 27.0], [0.001, nan]),
        _measured(tmp_path, "hr", [100.0, 100.0], [0.003, 0.004]),
    ]
    methods = {
        "hr": scores.method("hr"),
        "bicubic": scores.method("bicubic", "Bicubic"),
    }
    files = scores.write(tmp_path, "quality", measured, scores.layout(methods))
    return files.out, files.long


def test_a_row_a_method_in_the_paper_s_order(files):
    lines = files[0].read_text().splitlines()
    assert "GENERATED DATA (One)" in lines[0]
    assert lines[1] == "Method,One PSNR-Y,One SSIM,One Warping error"
    assert lines[2:] == ["Bicubic,26.00,0.6000,1.000", "HR,,,3.500"]


def test_a_clip_without_a_number_is_no_reason_to_compare_others(tmp_path):
    measured = _measured(tmp_path, "bicubic", [25.0, float("inf")], [0.001, 0.002])
    methods = {"bicubic": scores.method("bicubic", "Bicubic")}
    with pytest.raises(ArtifactError, match="PSNR-Y is no number for a clip"):
        scores.write(tmp_path, "quality", [measured], scores.layout(methods))


def test_the_long_form_says_what_each_rests_on(files):
    found = pd.read_csv(files[1], comment="#").set_index(["method", "measure"])
    assert found.loc[("Bicubic", "PSNR-Y"), ["clips", "frames"]].tolist() == [2, 6]
    assert found.loc[("Bicubic", "Warping error"), "clips"] == 1
    low, high = found.loc[("Bicubic", "PSNR-Y"), ["low", "high"]]
    assert 25 <= low <= 26 <= high <= 27
    assert ("HR", "PSNR-Y") not in found.index
