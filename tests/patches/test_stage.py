import h5py
import numpy as np

from tests.patches.clips import corpus, cutting, moving, patch_set
from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.patches.stage import patches
from twinlens.resample import downscale, upscale


def _clip(path, name="clip0"):
    with reader.open(path, "patches/1") as file:
        return {key: item[:] for key, item in file.clip(name).items()}


def test_single_frames_carry_their_speed(tmp_path):
    path, _ = patch_set(tmp_path)
    found = _clip(path)
    assert found["high"].shape == (4, 1, 32, 32, 3)
    assert found["low"].shape == (4, 1, 1, 8, 8, 3)
    assert found["interpolated"].shape == (4, 1, 32, 32, 3)
    assert found["speed"].shape == (4, 32, 32)
    assert (found["speed"] == 2).all()
    assert found["frame"].tolist() == [5, 5, 7, 7]
    assert "flow" not in found


def test_pairs_carry_their_flow(tmp_path):
    path, _ = patch_set(tmp_path, pair=True, warp_must_help=True)
    found = _clip(path)
    assert found["high"].shape[1:] == (2, 32, 32, 3)
    assert found["flow"].shape[1:] == (2, 32, 32)
    first, second = found["high"][0]
    np.testing.assert_array_equal(first[:, :-2], second[:, 2:])  # 2 px to the right


def test_a_gap_takes_the_frame_that_far_on(tmp_path):
    path, _ = patch_set(tmp_path, gap=3, pair=True)
    first, second = _clip(path)["high"][0]
    np.testing.assert_array_equal(first[:, :-6], second[:, 6:])


def _places(found, video):
    """Where each patch was cut: by looking for it."""
    for high, frame in zip(found["high"][:, 0], found["frame"], strict=True):
        spots = [
            (y, x)
            for y in range(0, 17, 4)
            for x in range(0, 33, 4)
            if np.array_equal(video[frame][y : y + 32, x : x + 32], high)
        ]
        yield frame, spots


def test_whole_frames_are_shrunk_and_then_cut(tmp_path):
    path, _ = patch_set(tmp_path)
    video, _ = moving(0)
    found = _clip(path)
    for place, (frame, spots) in enumerate(_places(found, video)):
        low = downscale(video[frame])
        matches = [
            np.array_equal(
                low[y // 4 : y // 4 + 8, x // 4 : x // 4 + 8], found["low"][place, 0, 0]
            )
            and np.array_equal(
                upscale(low)[y : y + 32, x : x + 32], found["interpolated"][place, 0]
            )
            for y, x in spots
        ]
        assert any(matches)


def test_the_released_way_shrinks_the_patch(tmp_path):
    path, _ = patch_set(tmp_path, cut="patch")
    found = _clip(path)
    low = downscale(found["high"][:, 0])
    np.testing.assert_array_equal(found["low"][:, 0, 0], low)
    np.testing.assert_array_equal(found["interpolated"][:, 0], upscale(low))


def test_a_window_holds_the_frames_around(tmp_path):
    video, flow = moving(3)
    files = corpus(tmp_path, [video], [flow], index=(6,))
    patches(*files, cutting(window=5), tmp_path / "w.h5", tmp_path / "w.csv")
    found = _clip(tmp_path / "w.h5")
    assert found["low"].shape[1:4] == (1, 5, 8)
    single, _ = patch_set(tmp_path / "one", count=1)
    assert single.exists()
    for step in range(5):
        whole = downscale(video[4 + step])
        window = found["low"][0, 0, step]
        assert any(
            np.array_equal(whole[y : y + 8, x : x + 8], window)
            for y in range(5)
            for x in range(9)
        )


def test_a_chunk_is_a_patch(tmp_path):
    path, _ = patch_set(tmp_path)
    with h5py.File(path) as file:
        group = file["clip/clip0"]
        for key in ("high", "low", "interpolated", "speed"):
            assert group[key].chunks == (1, *group[key].shape[1:]), key
            assert len(group[key].attrs["xxh3"]) == len(group[key]), key


def test_counts_add_up(tmp_path):
    _, path = patch_set(tmp_path, least_variance=0.05)
    counts = read_csv(path, "clip-counts/1")
    assert list(counts["clip"]) == [f"clip{place}" for place in range(4)]
    dropped = counts[["scene cut", "flat", "warp"]].sum(axis=1)
    assert (counts["candidates"] == counts["kept"] + dropped).all()
    assert (counts["pairs"] == 2).all()


def test_clips_of_which_nothing_is_kept_have_empty_arrays(tmp_path):
    path, counts = patch_set(tmp_path, least_variance=1.0)
    assert _clip(path)["high"].shape == (0, 1, 32, 32, 3)
    rows = read_csv(counts, "clip-counts/1")
    assert rows["kept"].sum() == 0
    assert (rows["flat"] == rows["candidates"]).all()


def test_a_scene_cut_drops_the_pair(tmp_path):
    video, flow = moving(0)
    video = video.copy()
    video[6:] //= 8
    files = corpus(tmp_path, [video], [flow])
    job = cutting(least_pair_psnr=10.0, least_variance=0.0)
    patches(*files, job, tmp_path / "p.h5", tmp_path / "p.csv")
    assert set(_clip(tmp_path / "p.h5")["frame"]) == {7}
    assert read_csv(tmp_path / "p.csv", "clip-counts/1")["scene cut"].sum() == 2


def test_clips_smaller_than_a_patch_are_left_out_and_counted(tmp_path, capsys):
    out, counts = patch_set(tmp_path, size=64)
    assert len(_clip(out)["frame"]) == 0
    rows = read_csv(counts, "clip-counts/1")
    assert (rows["small"] == 1).all()
    assert (rows["kept"] == 0).all()
    said = capsys.readouterr().err
    assert "LEFT OUT clip0: its frames of 64x48 are smaller than patches of 64" in said


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    one, _ = patch_set(tmp_path / "a")
    two, _ = patch_set(tmp_path / "b")
    for key, value in _clip(one).items():
        np.testing.assert_array_equal(value, _clip(two)[key])
