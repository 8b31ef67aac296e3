"""Which files and settings the jobs of a world take."""

import subprocess
import sys

import numpy as np
import pytest

from tests.plan.worlds import changed, plan
from twinlens.errors import PlanError
from twinlens.flow import estimators
from twinlens.plan import Plan, registry
from twinlens.recognisers import Head, Reading, tsn

ROOT = "results/playground"


def test_a_model_of_one_frame_reads_the_low_shard_itself():
    files = plan().shards.low_files("tsn", "yard", "sosr", "test", "00")
    assert files == [f"{ROOT}/low/tsn/yard/test-00.h5"]


def test_a_model_of_seven_frames_reads_shards_with_three_neighbours():
    files = plan().shards.low_files("tsn", "yard", "duf16", "test", "00")
    assert files == [f"{ROOT}/low/tsn/yard/test-00-near3.h5"]


def test_a_model_of_whole_clips_reads_all_frames():
    files = plan().shards.low_files("tsn", "yard", "rrn", "test", "00")
    assert files == [f"{ROOT}/low/all/yard/test-00.h5"]


def test_clips_that_are_low_already_are_enlarged_as_they_are():
    weights = {"yard": {"spatial": "a.pth", "temporal": "b.pth"}}
    low = plan(
        datasets__yard__low="given",
        recognisers__tsn__weights=weights,
        select__recognisers=["tsn"],
    )
    files = low.shards.low_files("tsn", "yard", "sosr", "test", "00")
    assert files == [f"{ROOT}/frames/tsn/yard/test-00.h5"]


def test_a_data_set_may_keep_all_frames():
    every = plan(datasets__yard__frames="all")
    assert every.shards.original_files("yard", "test", "00") == [
        f"{ROOT}/frames/all/yard/test-00.h5"
    ]
    decoding = every.shards.decoding("all", "yard", "test", "00", "")
    assert decoding.reading == Reading()


def test_a_corpus_keeps_all_frames():
    decoding = plan().shards.decoding("all", "corpus", "corpus", "00", "")
    assert decoding.reading.samplers == ()


def test_neighbours_stand_in_a_shard_s_name():
    shards = plan().shards
    assert shards.decoding("tsn", "yard", "test", "00", "-near3").around == 3
    assert shards.decoding("tsn", "yard", "test", "00", "").around == 0


def test_frames_are_enlarged_for_what_reads_them_only():
    shards = plan().shards
    (sampler,) = shards.enlargement("tsn", "yard", "sosr_wmse", "test").reading.samplers
    assert sampler.inputs == ("frames",)
    (sampler,) = shards.enlargement("tsn", "yard", "sosr", "test").reading.samplers
    assert sampler.inputs == ("frames", "flow")


def test_what_no_table_reads_is_planned_for_all_that_could_read_it():
    mine = {"label": "Mine", "model": "bicubic"}
    assert plan(methods__mine=mine).shards.inputs("tsn", "mine") == ("frames", "flow")


def test_flow_of_frames_that_are_not_stored_has_no_plan():
    shards = plan().shards
    with pytest.raises(PlanError, match="the temporal stream of sosr_wmse"):
        shards.frames_read_as("flow", "tsn", "yard", "sosr_wmse", "test", "00")
    every = plan(datasets__yard__frames="all").shards
    assert every.frames_read_as("flow", "tsn", "yard", "sosr_wmse", "test", "00")


def test_sampling_of_training_changes_no_test_frames():
    def reading(part, **changes):
        return plan(**changes).shards.reading("tsn", "yard", "hr", part)

    change = {"recognisers__tsn__sampling__positions": 2}
    assert reading("test", **change) == reading("test")
    assert reading("train", **change) != reading("train")


def test_limits_of_time_and_labels_are_no_settings_of_a_job():
    change = {"datasets__yard__limits": {"seconds": 7.0}, "datasets__yard__label": "Y"}
    changed_ = plan(**change)
    decoding = changed_.shards.decoding("tsn", "yard", "test", "00", "")
    assert decoding == plan().shards.decoding("tsn", "yard", "test", "00", "")
    assert changed_.data.decoding_seconds("yard") == 7.0


# --- Several recognisers


def two(bound=20.0, **changes):
    """A world with a second TSN that reads more snippets."""
    config = changed(**changes)
    other = config["recognisers"]["tsn"] | {
        "label": "Other",
        "table": "table_other",
        "bound": bound,
        "sampling": {"snippets": 7, "stack": 5, "segments": 1, "positions": 3},
    }
    config["recognisers"]["other"] = other
    config["select"]["recognisers"] = ["tsn", "other"]
    return Plan.of(config)


def test_a_second_recogniser_changes_no_file_of_the_first():
    one, more = plan().shards, two().shards
    for of in ("hr", "sosr", "sosr_wmse"):
        assert more.reading("tsn", "yard", of, "test") == one.reading(
            "tsn", "yard", of, "test"
        )
        args = "tsn", "yard", of, "test", "00"
        assert more.frame_files(*args) == one.frame_files(*args)
    assert more.flow_job("tsn", "yard", "hr", "test") == one.flow_job(
        "tsn", "yard", "hr", "test"
    )


def test_a_second_recogniser_stores_what_the_first_does_not():
    shards = two().shards
    own = shards.reading("other", "yard", "sosr", "test")
    first = shards.reading("tsn", "yard", "sosr", "test")
    alone = Reading(samplers=own.samplers)
    here = own.frames(120, "c"), first.frames(120, "c")
    assert not set(here[0]) & set(here[1])
    assert set(alone.frames(120, "c")) <= set(np.concatenate(here))
    files = shards.frame_files("other", "yard", "sosr", "test", "00")
    assert files == [
        f"{ROOT}/sr/tsn/yard/sosr/test-00.h5",
        f"{ROOT}/sr/other/yard/sosr/test-00.h5",
    ]


def test_a_method_of_a_table_of_the_first_alone_has_no_files_of_the_second():
    shards = two().shards
    assert shards.inputs("other", "sosr_wmse") == ()
    assert shards.reading("other", "yard", "sosr_wmse", "test").samplers[0].inputs == ()


FLOW = "yard", "sosr", "test", "00"


def flow_file(reader):
    return f"{ROOT}/flow/{reader}/yard/sosr/test-00.h5"


def test_flow_of_one_form_is_computed_once():
    shards = two().shards
    assert shards.flow_files("tsn", *FLOW) == [flow_file("tsn")]
    assert shards.flow_files("other", *FLOW) == [flow_file("tsn"), flow_file("other")]
    first, own = (shards.flow_job(each, *FLOW[:3]) for each in ("tsn", "other"))
    assert first.excluded == ()
    found = [job.flows(120, "c") for job in (first, own)]
    assert not set(found[0]) & set(found[1])
    assert set(own.sampler.flows(120, "c")) <= set(np.concatenate(found))


def test_flow_of_another_form_is_not_shared():
    shards = two(bound=15.0).shards
    assert shards.flow_files("other", *FLOW) == [flow_file("other")]
    assert shards.flow_job("other", *FLOW[:3]).excluded == ()


def test_the_same_flow_is_stored_once():
    config = changed()
    twin = config["recognisers"]["tsn"] | {"label": "Twin", "table": "table_twin"}
    config["recognisers"]["twin"] = twin
    config["select"]["recognisers"] = ["tsn", "twin"]
    assert Plan.of(config).shards.flow_files("twin", *FLOW) == [flow_file("tsn")]


def test_training_flow_of_a_recogniser_that_is_not_trained_is_not_asked_for():
    """Its published weights need none: the second computes all of its own."""
    weights = {"yard": {"spatial": "a.caffemodel", "temporal": "b.caffemodel"}}
    shards = two(recognisers__tsn__weights=weights).shards
    args = "yard", "hr", "train", "00"
    only = f"{ROOT}/flow/other/yard/hr/train-00.h5"
    assert shards.flow_files("other", *args) == [only]
    assert shards.flow_job("other", *args[:3]).excluded == ()


def test_each_recogniser_has_a_table_of_its_own():
    there = two()
    assert there.tables.names["table3"].recogniser == "tsn"
    assert there.tables.names["table_other"].recogniser == "other"
    assert there.tables.table_job("table_other").layout.recogniser == "Other"
    assert "results/table_other.csv" in there.tables.targets()
    scores = there.tables.table_inputs("table_other")
    assert f"{ROOT}/scores/other/yard/sosr/test-00.h5" in scores
    assert there.tables.table_inputs("table3") == plan().tables.table_inputs("table3")


def test_a_plan_loads_neither_torch_nor_opencv_nor_snakemake():
    code = (
        "import sys, twinlens.plan as plan; plan.Plan;"
        "names = 'torch', 'cv2', 'snakemake', 'pandas';"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_labels_and_places_of_weights_decide_no_flow():
    def jobs(**changes):
        shards = plan(**changes).shards
        return (
            shards.flow_job("tsn", "yard", "hr", "test"),
            shards.motion_job("corpus", "flownet2", "1", "corpus"),
        )

    change = {"flows__tvl1__label": "Zach", "flows__flownet2__label": "FN2"}
    assert jobs(**change) == jobs()
    weights = {"flows__flownet2__weights": "f.pth.tar", "flows__flownet2__width": 1.0}
    assert jobs(**weights) == jobs()
    assert jobs(flows__tvl1__preset="opencv") != jobs()


def test_settings_of_a_network_s_training_decide_no_flow(monkeypatch):
    monkeypatch.setattr(estimators.module("flownet2"), "OF_TRAINING", ("recipe",))
    decided = estimators.deciding(plan().world.flows["flownet2"])
    assert decided == {"kind": "flownet2", "width": 0.125}


def test_a_joint_recogniser_reads_frames_and_flow_for_every_table(monkeypatch):
    world = plan().world
    monkeypatch.setattr(tsn, "HEADS", {"joint": Head(("frames", "flow"), ("spatial",))})
    assert registry.inputs_read(world)["sosr_wmse"] == {"frames", "flow"}
    joint = Plan(world)
    files = joint.tables.table_inputs("table2")
    assert any("/sosr_wmse/" in file for file in files)
    assert joint.scores.flow("tsn", "yard", "sosr_wmse", "test", "00")


def test_training_clips_are_not_read_for_a_recogniser_of_published_weights():
    weights = {"spatial": "s.pth", "temporal": "t.pth"}
    published = {"recognisers__tsn__weights": {"yard": weights}}
    shards = two(**published).shards
    own, other = shards.readers("yard", "test"), shards.readers("yard", "train")
    assert (own, other) == (["tsn", "other"], ["other"])
    assert shards.reading("other", "yard", "hr", "train").excluded == ()
    assert two().shards.readers("yard", "train") == ["tsn", "other"]
