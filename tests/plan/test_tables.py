"""What tables and figures show, read and wait for."""

import pytest

from tests.plan.worlds import Plan, changed, only, plan
from twinlens import recognisers
from twinlens.errors import ConfigError, PlanError
from twinlens.media import scan
from twinlens.media.sets import Listed, Listing
from twinlens.tables.settings import ClipChoice

ROOT = "results/playground"


def test_table_3_reads_the_scores_of_the_members_of_a_pair():
    pair = {"label": "Pair", "frames_of": "sosr", "flow_of": "tosr1"}
    there = plan(methods__pair=pair, **only("pair"))
    files = there.tables.table_inputs("table3")
    assert [file.split("/")[-2] for file in files] == ["sosr", "tosr1"] * 2
    method = there.tables.table_job("table3").layout.methods["pair"]
    assert method.scores == {"spatial": "sosr", "temporal": "tosr1"}
    assert there.scores.heads_scored("tsn", "sosr") == ["spatial"]
    assert there.scores.heads_scored("tsn", "tosr1") == ["temporal"]


def test_a_row_is_scored_from_what_its_heads_read():
    scores = plan().scores
    assert scores.frames("tsn", "yard", "sosr_wmse", "test", "00") == [
        f"{ROOT}/sr/tsn/yard/sosr_wmse/test-00.h5"
    ]
    assert scores.flow("tsn", "yard", "sosr_wmse", "test", "00") == []
    assert scores.network_names("tsn", "sosr_wmse") == ["spatial"]


def test_columns_of_table_2_are_those_of_the_config():
    layout = plan().tables.table_job("table2").layout
    assert list(layout.methods) == ["MSE", "WMSE", "WMSE+Perceptual"]
    assert layout.methods["WMSE"].frames_of == "sosr_wmse"


def test_low_clips_have_no_row_of_originals():
    weights = {"yard": {"spatial": "a.pth", "temporal": "b.pth"}}
    low = plan(
        datasets__yard__low="given",
        recognisers__tsn__weights=weights,
        select__recognisers=["tsn"],
    )
    files = low.tables.table_inputs("table3")
    assert f"{ROOT}/scores/tsn/workshop/hr/test-00.h5" in files
    assert f"{ROOT}/scores/tsn/yard/hr/test-00.h5" not in files
    assert not low.tables.table_job("table3").layout.datasets["yard"].has_hr
    assert all("/yard/" not in file for file in low.tables.table_inputs("quality"))


def test_a_table_waits_for_the_manifests_and_counts_behind_it():
    gates = plan().tables.table_gates("table3")
    assert f"{ROOT}/manifest/yard/manifest.csv" in gates
    assert f"{ROOT}/manifest/corpus/manifest.csv" in gates
    assert f"{ROOT}/patches/temporal.csv" in gates
    bare = plan(**only("bicubic", "hr")).tables.table_gates("table3")
    assert bare == [
        f"{ROOT}/manifest/{name}/manifest.csv" for name in ("workshop", "yard")
    ]


def test_a_table_that_can_t_be_made_says_why():
    few = plan(**only("sosr", "hr"))
    with pytest.raises(PlanError, match="table5 can't be made: it compares"):
        few.tables.table_inputs("table5")
    with pytest.raises(
        PlanError, match="no table takes spatial scores of bicubic, vdsr"
    ):
        few.tables.table_inputs("table1")
    assert "results/table5.csv" not in few.tables.targets()
    assert any("table5, dispersion" in line for line in few.tables.left_out())


def test_bicubic_is_known_by_the_row_of_the_paper_and_not_by_its_label():
    other = plan(methods__bicubic__label="Cubic")
    assert "results/table5.csv" in other.tables.targets()
    config = changed()
    del config["methods"]["bicubic"]["paper"]
    assert "results/table5.csv" not in Plan.of(config).tables.targets()


SHARDED = {"datasets__yard__shards": {"test": 3}}
SIZES = {
    f"recognisers__{name}__views__size": [128, 96] for name in ("tsn", "st_resnet")
}
FOLDER = {"label": "Yard", "kind": "folder", "generated": None}


def test_a_clip_is_drawn_from_the_frames_and_flow_that_were_scored():
    there = plan(**SHARDED, **only("bicubic", "sosr", "hr"))
    sr = [f"{ROOT}/sr/tsn/yard/{each}/test-01.h5" for each in ("bicubic", "sosr")]
    frames = [sr[0], f"{ROOT}/frames/tsn/yard/test-01.h5", sr[1]]
    flow = [f"{ROOT}/flow/tsn/yard/{m}/test-01.h5" for m in ("bicubic", "hr", "sosr")]
    assert there.tables.figure_inputs("profile", "yard") == frames
    assert there.tables.figure_inputs("flow", "yard") == flow
    files = there.tables.figure_inputs("frames", "yard")
    assert files[:4] == [*frames, f"{ROOT}/low/tsn/yard/test-01.h5"]
    assert all("/scores/tsn/yard/" in file for file in files[4:])
    assert len(files) == 4 + 3 * 3


def test_a_clip_that_the_config_names_is_read_from_its_own_shard():
    clip = {"clip": "wave/clip0", "frame": 3}
    there = plan(select__clips={"yard": clip}, **SHARDED, **only("bicubic", "hr"))
    number = scan.shard_of("wave/clip0", 3)
    assert number != 1
    for figure in ("flow", "profile", "frames"):
        files = there.tables.figure_inputs(figure, "yard")
        assert f"test-{number:02d}.h5" in files[0]
        assert there.tables.figure_job(figure, "yard").clip == ClipChoice(**clip)
    assert there.tables.figure_job("flow", "workshop").clip is None
    assert there.tables.figure_job("scatter", "yard").clip is None


def test_a_clip_that_nobody_named_is_read_from_a_shard_that_has_some(tmp_path):
    there = plan(
        datasets__yard=FOLDER | {"videos": str(tmp_path), "shards": {"test": 4}},
        **SIZES,
        **only("bicubic", "hr"),
    )
    name = next(f"wave/{n}" for n in range(99) if scan.shard_of(f"wave/{n}", 4) == 1)
    listed = [Listed(clip=name, part="test", label=0, path=tmp_path / "x.avi")]
    there.data._listed["yard"] = Listing(classes=["wave"], clips=listed)
    assert "test-01.h5" in there.tables.figure_inputs("flow", "yard")[0]


def test_the_paper_s_clips_are_shown_where_they_are(tmp_path):
    there = plan(
        datasets__yard=FOLDER | {"videos": str(tmp_path), "paper": "UCF101"},
        **SIZES,
        **only("bicubic", "hr"),
    )
    named = "TaiChi/v_TaiChi_g01_c04"
    for clip, shown in ((named, named), ("TaiChi/another", None)):
        listed = [Listed(clip=clip, part="test", label=0, path=tmp_path / "x.avi")]
        there.data._listed["yard"] = Listing(classes=["TaiChi"], clips=listed)
        job = there.tables.figure_job("profile", "yard")
        assert (job.paper and job.paper.clip) == shown
        assert job.clip is None
    assert there.tables.figure_job("frames", "yard").paper is None


def test_a_generated_data_set_has_no_clip_of_the_paper():
    there = plan(datasets__yard__paper="UCF101", **only("bicubic", "hr"))
    assert there.tables.figure_job("profile", "yard").paper is None


def test_a_figure_of_two_streams_needs_a_recogniser_with_two(monkeypatch):
    there = plan()
    module = recognisers.module("st_resnet")
    name, head = next(iter(module.HEADS.items()))
    monkeypatch.setattr(module, "HEADS", {name: head})
    targets = there.tables.targets()
    assert f"{ROOT}/figures/tradeoff/yard.png" in targets
    assert f"{ROOT}/figures/tradeoff_st_resnet/yard.png" not in targets
    (said,) = [line for line in there.tables.left_out() if "2 heads" in line]
    assert said.startswith("figure tradeoff_st_resnet: left out: ")


def test_a_clip_that_no_list_has_is_refused(tmp_path):
    there = plan(
        datasets__yard=FOLDER | {"videos": str(tmp_path)},
        **SIZES,
        select__clips={"yard": {"clip": "Bow/clip_a"}},
    )
    listed = [Listed(clip="Bow/clip_b", part="test", label=0, path=tmp_path / "b.avi")]
    there.data._listed["yard"] = Listing(classes=["Bow"], clips=listed)
    with pytest.raises(
        PlanError, match=r"clips\.yard\.clip: no test clip is Bow/clip_a"
    ):
        there.tables.figure_inputs("flow", "yard")


def test_clips_of_a_data_set_that_is_not_there_are_refused():
    with pytest.raises(ConfigError, match=r"select\.clips: 'yrad' is not defined"):
        plan(select__clips={"yrad": {"clip": "a/b"}})


def test_all_asks_for_every_table_and_figure():
    targets = plan().tables.targets()
    tables = "table1 table2 table2_flow table3 table5 dispersion quality".split()
    assert {f"results/{name}.csv" for name in tables} <= set(targets)
    for figure in ("flow", "profile", "frames", "scatter", "scatter_st_resnet"):
        assert f"{ROOT}/figures/{figure}/yard.png" in targets
    assert f"{ROOT}/figures/flow_st_resnet/yard.png" not in targets
    assert f"{ROOT}/flow_error.csv" in targets
    assert (
        f"{ROOT}/flow_error.csv" not in plan(select__table2_flow=None).tables.targets()
    )


def test_a_table_may_show_another_recogniser():
    shown = {"table5": "st_resnet", "scatter": "st_resnet"}
    there = plan(select__recogniser=shown).tables
    (first, *_) = there.table_inputs("table5")
    assert first.startswith(f"{there.root}/scores/st_resnet/")
    layout = there.table_job("table5").layout
    assert (layout.recogniser, layout.paper) == (
        there.world.recognisers["st_resnet"].label,
        "ST-ResNet",
    )
    assert there.names["dispersion"].recogniser == "tsn"
    assert there.figure_job("scatter", "yard").layout.paper == "ST-ResNet"


def test_table_4_is_joint_and_a_pair_a_scoring_job_of_its_own():
    there = plan()
    inputs = there.tables.table_inputs("table4")
    row = f"{there.root}/scores/st_resnet/yard/sosr+tosr2/test-00.h5"
    assert row in inputs
    job = there.scores.job("st_resnet", "yard", "sosr+tosr2", "test")
    assert (job.frames_of, job.flow_of) == ("sosr", "tosr2")
    assert job.heads == ("spatial", "temporal")
    layout = there.tables.table_job("table4").layout
    assert layout.metrics == {
        "spatial": "views",
        "temporal": "views",
        "fusion": "clips",
    }
    assert not any("/scores/st_resnet/" in each for each in _table3(there))


def _table3(there):
    return there.tables.table_inputs("table3")


@pytest.mark.parametrize(
    ("recogniser", "line"),
    [
        ({"table9": "tsn"}, "select.recogniser: 'table9' is not defined"),
        ({"quality": "st_resnet"}, "select.recogniser: 'quality' is not defined"),
        (
            {"table5": "st_resent"},
            "select.recogniser.table5: 'st_resent' is not in select.recognisers;"
            " did you mean 'st_resnet'?",
        ),
    ],
)
def test_a_table_s_recogniser_that_is_none_is_refused(recogniser, line):
    with pytest.raises(ConfigError) as raised:
        plan(select__recogniser=recogniser)
    assert line in str(raised.value)


def test_a_recogniser_s_table_is_no_other_file_of_the_results():
    with pytest.raises(ConfigError, match="audit is another table"):
        plan(recognisers__st_resnet__table="audit")


def test_a_row_of_one_member_of_a_pair_is_scored_by_all_heads_of_a_joint_one():
    there = plan(**only("sosr_tosr2", "hr")).scores
    assert there.heads_scored("st_resnet", "tosr2") == ["spatial", "temporal"]
    assert there.frames("st_resnet", "yard", "tosr2", "test", "00")
