"""What a world will cost: its work, its rates, and both together."""

import pytest
import yaml

from tests.plan.worlds import DEFAULT, OVERLAYS, merged, plan
from twinlens.assets import needs
from twinlens.dry_run import Job
from twinlens.errors import ArtifactError
from twinlens.forecast import calibrate, report
from twinlens.forecast.calibrate import Rate
from twinlens.forecast.report import Cost, wall
from twinlens.forecast.sizes import Size, Sizes
from twinlens.forecast.units import Class, Work
from twinlens.plan import Plan


def job(rule, gpu=0, needs=(), makes=(), **wildcards):
    return Job(rule, wildcards, list(needs), list(makes), gpu)


# --- sizes ----------------------------------------------------------------------------


def test_the_size_of_a_generated_set_is_that_of_its_settings():
    sizes = Sizes(plan())
    assert sizes.of("workshop", "test") == Size(8 * 25, 36, 128, 96)
    assert sizes.of("yard", "train") == Size(6 * 40, 36, 118, 90)
    assert sizes.of("corpus", "corpus") == Size(60, 36, 128, 96)


def test_the_size_of_videos_is_found_by_looking(tmp_path, make_video, noise):
    for kind, count in (("a", 4), ("b", 8)):
        for number in range(3):
            path = tmp_path / f"videos/{kind}/{number}.avi"
            make_video(path, noise(count, 24, 32))
    entry = {"label": "Own", "kind": "folder", "videos": str(tmp_path / "videos")}
    made = plan(
        datasets__own=entry,
        select__datasets=["own"],
        recognisers__tsn__views={"size": [64, 48], "crop": 32},
        select__recognisers=["tsn"],
    )
    sizes = Sizes(made)
    test = sizes.of("own", "test")
    assert test[1:] == (6, 32, 24)
    assert test.clips + sizes.of("own", "train").clips == 6
    assert sizes.classes("own") == 2


# --- work -----------------------------------------------------------------------------


def test_work_is_counted_by_hand():
    work = Work(plan())
    frames = job(
        "frames", reader="tsn", dataset="yard", part="test", shard="00", around=""
    )
    megapixels = 118 * 90 / 1e6
    assert work.of(frames) == (Class("frames", ""), 6 * 34 * 36 * megapixels)
    score = job(
        "score",
        recogniser="tsn",
        dataset="yard",
        row="sosr",
        part="test",
        shard="00",
    )
    assert work.of(score) == (Class("score", "sosr by tsn"), 6 * 34)
    recipe = DEFAULT["training"]["recipe"]
    training = work.of(job("train_sr", network="vdsr"))[1]
    held_out = recipe["validations"] * recipe["validation_patches"]
    assert training == recipe["steps"] * recipe["batch"] + held_out / 3
    shown = work.of(job("explorer_media", dataset="yard", shard="00"))[1]
    assert shown == pytest.approx(6 * 4 * 24 * megapixels * 12)  # methods
    assert work.of(job("table", table="table3")) == (Class("table", ""), 1)


def test_a_network_of_whole_clips_enlarges_all_frames():
    work = Work(plan())
    wildcards = {"reader": "tsn", "dataset": "yard", "part": "test", "shard": "00"}
    whole = work.of(job("super_resolve", method="rrn", **wildcards))[1]
    some = work.of(job("super_resolve", method="vdsr", **wildcards))[1]
    assert whole == 6 * 34 * 36 * 118 * 90 / 1e6
    assert some < whole


def kept(made, recogniser, key, dataset="yard"):
    training = job("train_recogniser", recogniser=recogniser, dataset=dataset, key=key)
    return Work(made).kept(training)


def test_a_training_keeps_the_images_that_its_files_hold():
    everything = plan(datasets__yard__frames="all")
    frames = 6 * 40 * 36 * 118 * 90 * 3 / 1e6
    assert kept(everything, "tsn", "spatial") == frames
    assert kept(plan(), "tsn", "spatial") < frames
    # Of each of three segments the stacks of five flows at three places.
    flows = kept(plan(), "tsn", "temporal") / (6 * 40 * 118 * 90 * 2 / 1e6)
    assert 3 * 5 <= flows <= 3 * 3 * 5
    both = [kept(plan(), "st_resnet", key) for key in ("appearance", "motion")]
    assert kept(plan(), "st_resnet", "stage1") == pytest.approx(sum(both))
    assert Work(plan()).kept(job("train_sr", network="vdsr")) == 0


def test_images_that_do_not_fit_are_not_kept():
    large = plan(datasets__yard__generated__width=1920, datasets__yard__frames="all")
    assert kept(large, "tsn", "spatial") == 0


def test_images_are_kept_at_the_size_of_a_recogniser_s_views():
    small = plan(recognisers__tsn__views__size=[160, 120], datasets__yard__frames="all")
    assert kept(small, "tsn", "spatial") == 6 * 40 * 36 * 160 * 120 * 3 / 1e6


def test_memory_is_that_of_the_class_and_of_images_that_are_kept():
    rates = {
        "train_recogniser tsn spatial": Rate(start=1, seconds=1, memory=300, bytes=0)
    }
    training = job("train_recogniser", recogniser="tsn", dataset="yard", key="spatial")
    (cost,) = report.costs(plan(), [training], rates)
    assert cost.memory == 300 + kept(plan(), "tsn", "spatial")


# --- rates ----------------------------------------------------------------------------


def test_a_miniature_has_the_same_networks_and_few_clips_and_steps():
    made = plan()
    config = calibrate.miniature(made, [], 4)
    assert config["world"] == "playground_calibration4"
    assert config["datasets"]["workshop"]["generated"] == {
        "width": 128,
        "height": 96,
        "frames": [36, 36],
        "train": 24,
        "test": 24,
        "classes": ["SawPales", "RollBars"],
    }
    assert config["training"]["recipe"]["steps"] == 4 * calibrate.STEPS
    assert (
        config["training"]["recipe"]["batch"] == DEFAULT["training"]["recipe"]["batch"]
    )
    assert config["starts"]["vdsr"]["settings"] == DEFAULT["starts"]["vdsr"]["settings"]
    assert config["select"]["datasets"] == ["workshop"]


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_a_miniature_of_each_world_can_be_made_and_needs_no_file(overlay, monkeypatch):
    monkeypatch.setattr(Sizes, "of", lambda *of: Size(300, 90, 320, 240))
    made = Plan.of(merged(overlay.name))
    small = Plan.of(calibrate.miniature(made, [overlay], 1))
    assert needs.missing(small) == []
    assert small.world.data == made.world.data
    assert small.world.select.methods == made.world.select.methods
    targets = small.tables.own_targets()
    assert f"{small.root}/table3.csv" in targets
    assert all(path.startswith(f"{small.root}/") for path in targets)
    for name in small.tables.figures:
        for dataset in small.tables.datasets(small.tables.figures[name]):
            small.tables.figure_job(name, dataset)


def test_a_clip_that_is_to_be_shown_is_not_asked_of_a_miniature():
    choice = {"clip": "SawPales/x", "frame": 3}
    made = plan(select__clips={"yard": choice})
    assert not Plan.of(calibrate.miniature(made, [], 1)).world.select.clips


def test_published_weights_are_replaced_by_random_ones():
    section = {"vdsr": {"weights": "x.mat", "recipe": {"steps": 900, "validations": 4}}}
    calibrate._shorten(section, 8)
    expected = {"steps": 8, "validations": 1}
    assert section == {"vdsr": {"weights": None, "recipe": expected}}


def test_a_rate_is_a_line_through_two_points():
    rows = [(10.0, 5.0, 800.0, 1e6), (10.0, 5.0, 700.0, 1e6), (30.0, 9.0, 900.0, 3e6)]
    rate = calibrate._rate(rows)
    assert (rate.start, rate.memory, rate.bytes) == (3.0, 900.0, 1e5)
    assert rate.seconds == pytest.approx(0.2)


def test_a_rate_of_equal_jobs_has_no_start():
    rows = [(1.0, 5.0, 800.0, 0.0), (1.0, 7.0, 800.0, 0.0)]
    assert calibrate._rate(rows) == Rate(start=0, seconds=6.0, memory=800.0, bytes=0)


def test_noise_gives_no_negative_rate():
    rate = calibrate._rate([(10.0, 6.0, 1.0, 0.0), (30.0, 5.0, 1.0, 0.0)])
    assert 0 < rate.seconds < 0.1
    assert rate.start > 5
    steep = calibrate._rate([(10.0, 1.0, 1.0, 0.0), (30.0, 9.0, 1.0, 0.0)])
    assert (steep.start, steep.seconds) == (0.0, 0.25)


@pytest.mark.parametrize("text", [None, "a: {seconds: 1}", "a: b", "a: ["])
def test_a_file_of_no_rates_is_refused(tmp_path, text):
    path = tmp_path / "rates.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ArtifactError, match=r"rates\.yaml: no rates"):
        report.read(path)


def test_rates_are_read_as_they_are_written(tmp_path):
    path = tmp_path / "rates.yaml"
    rate = {"start": 1.0, "seconds": 0.5, "memory": 300.0, "bytes": 10.0}
    path.write_text(yaml.safe_dump({"super_resolve sosr": rate}))
    assert report.read(path) == {"super_resolve sosr": Rate(**rate)}


# --- together -------------------------------------------------------------------------


def cost(seconds, gpu=0):
    kind = Class("x", "")
    return Cost(kind=kind, seconds=seconds, threads=1, gpu=gpu, memory=1.0, bytes=0.0)


def test_wall_time_waits_for_inputs_and_slots():
    first, second = job("a", makes=["a"]), job("b", makes=["b"])
    last = job("c", needs=["a", "b"], makes=["c"])
    jobs, costs = [last, first, second], [cost(5), cost(3), cost(4)]
    assert wall(jobs, costs, nodes=2, gpus=1) == 4 + 5
    assert wall(jobs, costs, nodes=1, gpus=1) == 3 + 4 + 5


def test_gpus_are_slots_of_their_own():
    jobs = [job("a", gpu=1), job("b", gpu=2), job("c")]
    costs = [cost(3, gpu=1), cost(4, gpu=2), cost(6)]
    assert wall(jobs, costs, nodes=1, gpus=2) == 7
    assert wall(jobs, costs, nodes=1, gpus=3) == 6
    assert wall(jobs, costs, nodes=1, gpus=1) == 7


def test_costs_are_summed_by_stage(capsys):
    made = plan(keep=False)
    wildcards = {"dataset": "yard", "part": "test", "shard": "00"}
    jobs = [
        job("super_resolve", gpu=1, reader="tsn", method="sosr", **wildcards),
        job("super_resolve", reader="tsn", method="vdsr", **wildcards),
        job("table", table="table3"),
        job("frames", reader="tsn", around="", **wildcards)._replace(threads=4),
    ]
    rate = Rate(start=1.0, seconds=0.0, memory=700.0, bytes=1e9)
    found = report.costs(made, jobs, {"super_resolve sosr": rate})
    said = capsys.readouterr().err
    assert "no rate of super_resolve vdsr" in said
    assert "no rate of frames" in said
    assert "no rate of table" not in said
    summed = report.table(made, found)
    assert summed.loc["super_resolve", "jobs"] == 2
    assert summed.loc["super_resolve", "GPU hours"] == pytest.approx(3 / 3600)
    assert summed.loc["super_resolve", "kept GB"] == 0
    assert summed.loc["super_resolve", "for a time GB"] > 0
    assert summed.loc["frames", "CPU hours"] == pytest.approx(4 * 5 / 3600)
    assert summed.loc["all", "memory MB"] == 700
    assert list(report.table(made, found, long=True).index)[:2] == [
        "super_resolve sosr",
        "super_resolve vdsr",
    ]
