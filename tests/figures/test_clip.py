import cv2
import numpy as np
import pandas as pd
import pytest

from tests.patches.clips import moving
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.figures.clip import Shown, _busiest, draw_clip

pytestmark = pytest.mark.slow
BICUBIC = Shown(label="Bicubic", name="bicubic", model="bicubic")


@pytest.fixture
def manifest(tmp_path, make_video):
    video, _ = moving(0, height=96, width=128)
    rows = [
        {
            "clip": f"c/{name}",
            "part": "test",
            "status": "ok",
            "path": str(make_video(tmp_path / f"{name}.avi", video)),
        }
        for name in ("one", "two", "three")
    ]
    write_csv(tmp_path / "m.csv", "manifest/1", pd.DataFrame(rows))
    return tmp_path / "m.csv"


def test_the_sheet_has_a_column_for_each_method(manifest, tmp_path):
    sizes = []
    for count in (1, 3):
        draw_clip(manifest, [BICUBIC] * count, tmp_path / f"{count}.png")
        sizes.append(cv2.imread(str(tmp_path / f"{count}.png")).shape)
    assert sizes[0][0] == sizes[1][0]
    two = Shown(label="Again", name="again", model="bicubic")
    draw_clip(manifest, [BICUBIC, two], tmp_path / "2.png", clip="c/two")
    wide = cv2.imread(str(tmp_path / "2.png")).shape[1]
    assert wide > sizes[0][1]


def test_clips_that_are_low_already_have_no_original(manifest, tmp_path):
    draw_clip(manifest, [BICUBIC], tmp_path / "low.png", given_low=True)
    draw_clip(manifest, [BICUBIC], tmp_path / "made.png")
    widths = [
        cv2.imread(str(tmp_path / f"{name}.png")).shape[1] for name in ("low", "made")
    ]
    assert widths[0] < widths[1]


def test_an_unknown_clip_is_told(manifest, tmp_path):
    with pytest.raises(ArtifactError, match="lists no test clip c/four"):
        draw_clip(manifest, [BICUBIC], tmp_path / "x.png", clip="c/four")


def test_the_detail_is_where_most_changes():
    busy = np.zeros((30, 60))
    busy[12:16, 33:40] = 1
    y, x = _busiest(busy)
    assert y <= 12
    assert y + 10 >= 16
    assert x <= 33
    assert x + 20 >= 40
