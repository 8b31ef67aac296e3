import datetime

import pytest
import yaml

from tests.plan.worlds import (
    DEFAULT,
    OVERLAYS,
    changed,
    merged,
    only,
    plan,
    problems,
    problems_of,
)
from twinlens import models
from twinlens.assets import needs
from twinlens.errors import PlanError
from twinlens.plan import Plan, registry
from twinlens.plan.world import World


def test_the_default_config_is_valid():
    assert problems_of(DEFAULT) == []


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_every_overlay_gives_a_valid_config(path):
    assert problems_of(merged(path.name)) == []


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_every_overlay_names_its_world(path):
    assert yaml.safe_load(path.read_text())["world"] == path.stem


@pytest.mark.parametrize(
    ("key", "where", "near"),
    [
        ("sede", "the config", "seed"),
        ("select__dataset", "select", "datasets"),
        ("datasets__yard__vidoes", "datasets.yard", "videos"),
        ("datasets__yard__shards__trian", "datasets.yard.shards", "train"),
        ("datasets__yard__generated__widht", "datasets.yard.generated", "width"),
        ("methods__hr__modell", "methods.hr", "model"),
        ("quality__pears", "quality", "pairs"),
        ("recognisers__tsn__backbon", "recognisers.tsn", "backbone"),
        ("recognisers__tsn__sampling__snipets", "recognisers.tsn.sampling", "snippets"),
        ("recognisers__tsn__views__crap", "recognisers.tsn.views", "crop"),
        ("flows__tvl1__presett", "flows.tvl1", "preset"),
        (
            "recognisers__tsn__training__spatial__stepz",
            "recognisers.tsn.training.spatial",
            "steps",
        ),
        (
            "recognisers__tsn__training__spacial",
            "recognisers.tsn.training",
            "spatial",
        ),
        ("resources__gpu", "resources", "gpus"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(key, where, near):
    name = key.split("__")[-1]
    expected = f"{where}: unknown key {name!r}; did you mean {near!r}?"
    assert problems(**{key: {}}) == [expected]


def test_a_key_near_to_none_lists_those_there_are():
    (line,) = problems(quality__zzz=1)
    assert line == "quality: unknown key 'zzz'; there are: flow, pairs"


def test_a_key_that_yaml_reads_as_a_truth_value_is_reported():
    config = changed()
    config["quality"][True] = 1
    (line,) = problems_of(config)
    assert line.startswith("quality: unknown key 'true'")


def test_unknown_keys_are_reported_all_at_once():
    assert len(problems(sede=1, quality__bond=1, resources__gpu=1)) == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("world", "Upper case"),
        ("seed", "2019"),
        ("seed", -1),
        ("keep", "yes"),
        ("select__methods", []),
        ("select__methods", ["hr", "hr"]),
        ("select__datasets", "yard"),
        ("datasets", None),
        ("datasets__yard__split", 4),
        ("datasets__yard__shards__test", 100),
        ("datasets__yard__generated__width", 97),
        ("datasets__yard__test_fraction", 1.0),
        ("datasets__yard__low", "maybe"),
        ("flows__tvl1__preset", "slow"),
        ("recognisers__tsn__bound", 0),
        ("recognisers__tsn__fusion", [1.0]),
        ("recognisers__tsn__views__crops", 3),
        ("recognisers__tsn__views__size", [340]),
        ("recognisers__tsn__weights", {"yard": {"spatial": "a"}}),
        ("recognisers__tsn__training__spatial__lr", "1e-4"),
        ("resources__threads", 0),
    ],
)
def test_a_wrong_value_is_reported_with_its_place(key, value):
    (line,) = problems(**{key: value})
    place = key.replace("__", ".")
    assert line.startswith((f"{place}: ", f"{place}."))


def test_a_number_that_yaml_takes_for_text_is_reported_how_to_be_written():
    (line,) = problems(training__recipe__lr="1e-3")
    assert line.endswith("; write it as 1.0e-3, with point and sign")
    (line,) = problems(training__recipe__lr="fast")
    assert "point and sign" not in line


def test_weights_need_a_network_that_has_an_importer():
    entry = {"label": "RRN", "model": "rrn", "weights": "rrn.pth"}
    (line,) = problems(methods__rrn=entry)
    assert line.startswith("methods.rrn.weights: no published weights of rrn are known")


@pytest.mark.parametrize(
    ("key", "other"),
    [("methods__vdsr__label", "Bicubic"), ("datasets__yard__label", "Workshop")],
)
def test_two_of_one_label_are_refused(key, other):
    (line,) = problems(**{key: other})
    assert line.startswith(f"{key.replace('__', '.')}: ")
    assert f"is called '{other}' too" in line


def test_a_text_that_yaml_takes_for_something_else_is_to_be_quoted():
    (line,) = problems(datasets__yard__classes=["yes", False])
    assert line.startswith("datasets.yard.classes.1: False: ")
    assert line.endswith(
        "YAML reads no, off, yes and on as truth values: put it in quotes"
    )
    (line,) = problems(data=2024)
    assert line.startswith("data: 2024: ")
    assert line.endswith("; put it in quotes, as it is written")


@pytest.mark.parametrize("text", ["1", "-2.5", "true"])
def test_a_number_that_came_as_text_is_to_go_into_a_file(text):
    """`--config 'resources={gpus: 1}'`: Snakemake reads its mappings as texts."""
    (line,) = problems(resources__gpus=text)
    assert line.startswith(f"resources.gpus: {text!r}: ")
    assert line.endswith("--config gives text only: write it to a --configfile")


def test_a_wrong_value_is_reported_with_the_meaning_of_its_key():
    (line,) = problems(seed=-1)
    assert "Master seed" in line


@pytest.mark.parametrize("key", World.model_json_schema()["required"])
def test_a_lacking_key_is_named(key):
    config = changed()
    del config[key]
    assert problems_of(config) == [f"the config: lacks {key!r}"]


@pytest.mark.parametrize(
    ("what", "name", "near"),
    [("datasets", "yart", "yard"), ("methods", "bicubik", "bicubic")],
)
def test_a_selected_name_must_be_defined(what, name, near):
    (line,) = problems(**{f"select__{what}": [name]})
    expected = f"select.{what}: {name!r} is not defined; did you mean {near!r}?"
    assert line == expected


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ({"frames_of": "hr", "flow_of": "hr", "model": "bicubic"}, "and no model"),
        ({"frames_of": "hr"}, "a pair names frames_of and flow_of"),
        ({"flow_of": "hr"}, "a pair names frames_of and flow_of"),
        ({"frames_of": "hr", "flow_of": "bicubik"}, "did you mean 'bicubic'?"),
        ({}, "names no model"),
    ],
)
def test_a_method_is_a_model_or_a_whole_pair(method, said):
    (line,) = problems(methods__pair={"label": "Pair", **method})
    assert line.startswith("methods.pair")
    assert said in line


def test_a_pair_of_defined_methods_is_valid():
    pair = {"label": "Pair", "frames_of": "hr", "flow_of": "bicubic"}
    assert problems(methods__pair=pair) == []


def test_a_crop_larger_than_the_frame_is_reported():
    (line,) = problems(recognisers__tsn__views__size=[340, 64])
    assert line.startswith("recognisers.tsn.views: crop is larger than size")


def test_a_crop_larger_than_generated_frames_is_reported():
    (line,) = problems(datasets__yard__generated__height=64)
    assert "views.crop: 80 is larger than the frames of yard, 118x64" in line


@pytest.mark.parametrize("data", [2024, True, ["a"]])
def test_a_data_folder_that_is_no_text_is_reported(data):
    (line,) = problems(data=data)
    assert line.startswith("data: ")


def test_a_key_that_is_a_date_is_reported():
    config = changed()
    config["datasets"][datetime.date(2024, 5, 1)] = {}
    (line,) = problems_of(config)
    assert "put it in quotes" in line


def test_lengths_the_wrong_way_round_are_reported():
    (line,) = problems(datasets__yard__generated__frames=[40, 32])
    assert "yard.generated: frames: the fewest come first, the most last" in line


def test_weights_of_no_data_set_are_reported():
    weights = {"yart": {"spatial": "a", "temporal": "b"}}
    (line,) = problems(recognisers__tsn__weights=weights)
    assert line.startswith(
        "recognisers.tsn.weights: unknown key 'yart'; did you mean 'yard'?"
    )


def test_a_model_a_backbone_or_a_kind_that_is_not_there_is_reported():
    assert "no model 'bicubik'; did you mean 'bicubic'?" in " ".join(
        problems(methods__bicubic__model="bicubik")
    )
    assert "no 'compakt'; did you mean 'compact'?" in " ".join(
        problems(recognisers__tsn__backbone="compakt")
    )
    assert "no kind 'foldr'; did you mean 'folder'?" in " ".join(
        problems(datasets__yard__kind="foldr")
    )


def test_a_pair_of_a_pair_is_reported():
    methods = {
        "one": {"label": "One", "frames_of": "hr", "flow_of": "bicubic"},
        "two": {"label": "Two", "frames_of": "one", "flow_of": "hr"},
    }
    (line,) = problems(**{f"methods__{name}": each for name, each in methods.items()})
    assert line == "methods.two.frames_of: 'one' is a pair itself"


def test_a_corpus_is_no_column():
    (line,) = problems(select__datasets=["corpus"])
    assert "is a corpus" in line


def test_low_clips_without_full_ones_to_train_on_are_reported():
    found = problems(datasets__yard__low="given")
    assert [line.partition(".weights")[0] for line in found] == [
        "recognisers.tsn",
        "recognisers.st_resnet",
    ]
    assert all("needs the data set's split_file" in line for line in found)
    assert found[1].endswith("(or leave st_resnet out of select.recognisers)")


def test_real_videos_need_a_size():
    entry = {"label": "Mine", "kind": "folder", "videos": "mine"}
    found = problems(datasets__mine=entry, select__datasets=["mine"])
    assert [line.partition(":")[0] for line in found] == [
        "recognisers.tsn.views.size",
        "recognisers.st_resnet.views.size",
    ]


def test_weights_that_saw_the_test_clips_are_reported():
    weights = {"yard": {"spatial": "rgb.pth", "temporal": "flow.pth", "split": 1}}
    (line,) = problems(recognisers__tsn__weights=weights, datasets__yard__split=2)
    assert line.startswith("recognisers.tsn.weights.yard.split: networks that were")


@pytest.mark.parametrize("name", ["ucf101-split-2", "_s02_", "fold2", "split_1"])
def test_the_split_of_published_weights_is_asked_for(name):
    """The name of a file is no evidence."""
    entry = {"label": "UCF101", "kind": "ucf101", "videos": "v", "splits": "s"}
    weights = {"mine": {"spatial": f"{name}.pth", "temporal": f"{name}.pth"}}
    found = problems(
        datasets__mine=entry,
        select__datasets=["mine"],
        select__recognisers=["tsn"],
        recognisers__tsn__weights=weights,
        recognisers__tsn__views__size=[340, 256],
    )
    assert [line for line in found if "say which official split" in line]


def test_a_file_named_for_another_split_than_is_said_is_reported():
    files = {"spatial": "ucf101_split_1_rgb.pth", "temporal": "flow.pth", "split": 2}
    (line,) = problems(
        recognisers__tsn__weights={"yard": files}, datasets__yard__split=2
    )
    assert (
        "split: 2, and ucf101_split_1_rgb.pth says 1: name the files of that split,"
        " or rename this one" in line
    )


def test_originals_of_low_clips_alone_are_no_table():
    lines = problems(
        datasets__yard__low="given",
        datasets__yard__split_file="split.csv",
        select__datasets=["yard"],
        select__methods=["hr"],
        **{f"select__{table}": None for table in ("table1", "table2", "table2_flow")},
    )
    assert any("of which there is no HR: add another method" in line for line in lines)


def test_no_weights_can_be_said_by_null():
    assert plan(recognisers__tsn__weights=None).world.recognisers["tsn"].weights == {}


# --- training of super-resolution -----------------------------------------------------


def test_a_patch_set_needs_a_corpus():
    (line,) = problems(patches__spatial__corpus="yard")
    assert line.startswith("patches.spatial.corpus: 'yard' is no corpus; ")


def test_a_patch_that_cannot_be_cut_is_reported():
    (line,) = problems(patches__spatial__margin=24)
    assert line.startswith("patches.spatial: size 48 must be more than twice")


def test_a_start_that_is_not_there_is_reported():
    (line,) = problems(methods__sosr__start="vdsl")
    assert line == "methods.sosr.start: 'vdsl' is not defined; did you mean 'vdsr'?"


def test_patches_larger_than_generated_frames_are_reported():
    (line,) = problems(patches__spatial__size=100)
    assert line == (
        "patches.spatial.size: patches of 100 are larger than the frames of corpus"
    )


def test_a_setting_of_another_loss_is_reported():
    loss = {"kind": "mse", "alpha": 0.5}
    (line,) = problems(methods__vdsr__recipe__loss=loss)
    assert line.startswith("methods.vdsr.recipe.loss: mse has no alpha: sosr have")


def test_a_batch_that_gpus_cannot_share_is_reported():
    lines = problems(resources__gpus=3)
    assert "methods.vdsr.recipe.batch: 16 can't be shared evenly by resources.gpus" in (
        lines
    )


def test_an_alpha_out_of_range_says_what_there_is():
    loss = {"kind": "sosr", "alpha": 5}
    (line,) = problems(methods__sosr__recipe__loss=loss)
    assert "less than or equal to 1, or: Input should be 'auto'" in line


def test_an_unknown_patch_set_is_reported():
    (line,) = problems(methods__vdsr__recipe__patches="spacial")
    assert line.endswith("'spacial' is not defined; did you mean 'spatial'?")


def test_a_loss_on_the_wrong_kind_of_patches_is_reported():
    (line,) = problems(methods__sosr__recipe__patches="temporal")
    assert "loss sosr needs a patch set with pair: false" in line
    (line,) = problems(methods__tosr1__recipe__patches="spatial")
    assert "loss tosr needs a patch set with pair: true" in line
    assert problems(methods__vdsr__recipe__patches="temporal") == []


@pytest.mark.parametrize(
    ("key", "value"), [("steps", 500), ("lr", 0.01), ("precision", "bf16-mixed")]
)
def test_methods_of_one_start_are_trained_alike(key, value):
    (line,) = problems(**{f"methods__sosr__recipe__{key}": value})
    assert line.startswith(f"methods that start from vdsr differ in {key} (")
    assert line.endswith(f"set training.recipe.{key}")


def test_batches_may_differ_as_in_the_paper():
    assert problems(methods__tosr1__recipe__batch=60) == []


def test_an_experiment_that_no_table_shows_may_differ():
    other = {**DEFAULT["methods"]["sosr"], "label": "Mine"}
    other["recipe"] = {**other["recipe"], "steps": 7}
    assert problems(methods__mine=other) == []


def test_a_setting_that_a_network_does_not_take_is_reported():
    (line,) = problems(starts__vdsr__settings={"widht": 16})
    assert line == "starts.vdsr.settings: vdsr takes no 'widht'; did you mean 'width'?"


def test_a_start_s_settings_are_not_overwritten_in_silence():
    lines = problems(methods__sosr__settings={"width": 8})
    assert lines == ["methods.sosr: its start says the settings; remove settings"]


def test_a_network_that_learns_needs_weights_or_a_recipe():
    (line,) = problems(methods__mine={"label": "Mine", "model": "vdsr"})
    assert line == "methods.mine: vdsr learns, and has neither weights nor a recipe"


def test_a_recipe_that_lacks_something_is_reported():
    (line,) = problems(methods__vdsr__recipe={"patches": "spatial"})
    assert line == "methods.vdsr.recipe: lacks 'loss'"


def test_a_typo_in_a_loss_is_reported():
    (line,) = problems(methods__vdsr__recipe__loss={"kind": "mse", "alfa": 1})
    assert "unknown key 'alfa'; did you mean 'alpha'?" in line


def test_a_start_and_a_model_are_one_too_many():
    (line,) = problems(methods__vdsr__model="vdsr")
    assert line == "methods.vdsr: start already says the model; remove model"


def test_a_start_needs_weights_or_a_recipe():
    (line,) = problems(starts__bare={"model": "vdsr"})
    assert line == "starts.bare: vdsr learns, and has neither weights nor a recipe"


def test_table_2_s_methods_must_exist():
    (line,) = problems(select__table2={"MSE": "vdsl"})
    assert line.startswith("select.table2.MSE: 'vdsl' is not defined")


def test_table_1_s_methods_must_exist_and_differ():
    (line,) = problems(select__table1__SR="vdsl")
    assert line.startswith("select.table1.SR: 'vdsl' is not defined; did you mean")
    (line,) = problems(select__table1__SR="hr")
    assert line == "select.table1: names a method twice (hr, bicubic, hr)"
    (line,) = problems(select__table1__LR="vdsr")
    assert line.startswith("select.table1: unknown key 'LR'")


@pytest.mark.parametrize("chosen", [None, {}, {"HR": "hr", "Bicubic": "bicubic"}])
def test_table_1_can_be_switched_off(chosen):
    assert problems(select__table1=chosen) == []
    assert registry.ranked(plan(select__table1=chosen).world) == {}
    assert len(registry.ranked(plan().world)) == 3


def test_table_1_scores_nothing_that_no_other_table_takes():
    config = changed(methods__mine={"label": "Mine", "model": "bicubic"})
    config["select"]["table1"]["SR"] = "mine"
    assert _read(config) == _read(DEFAULT)


def test_methods_by_flow_must_exist():
    (line,) = problems(select__table2_flow={"SoSR (FlowNet2)": "sozr"})
    assert line.startswith("select.table2_flow.SoSR (FlowNet2): 'sozr' is not defined")


def test_flownet2_is_needed_only_where_a_shown_network_s_patches_take_it():
    assert plan().networks.flows_used == ["flownet2", "tvl1"]
    assert plan(select__table2_flow=None).networks.flows_used == ["tvl1"]
    changes = {"select__table2_flow": None, "patches__spatial__flow": "flownet2"}
    assert "flownet2" in plan(**changes).networks.flows_used


def test_patches_by_flow_may_differ_in_flow_alone():
    """Else the one table that compares them is left out."""
    tables = plan(patches__spatial_other_flow__crops=9).tables
    (line,) = tables.left_out()
    assert line.startswith("table2_flow: left out: patch sets of select.table2_flow")
    assert "differ in crops ({'spatial': " in line
    assert "results/table2_flow.csv" not in tables.targets()
    with pytest.raises(PlanError, match="differ in crops"):
        tables.table_inputs("table2_flow")
    assert plan().tables.left_out() == []


def test_published_flow_networks_are_of_full_width():
    (line,) = problems(flows__flownet2__weights="FlowNet2_checkpoint.pth.tar")
    assert line.startswith("flows.flownet2: published weights are of width 1, not 0.12")
    fits = {"flows__flownet2__weights": "f.pth.tar", "flows__flownet2__width": 1.0}
    assert problems(**fits) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"patches__spatial__flow": "farneback"}, "patches.spatial.flow"),
        ({"flows__flownet2__width": 2}, "flows.flownet2.width"),
        ({"flows__flownet2__recipe__size": [64, 96]}, "flows.flownet2.recipe.size.1"),
        ({"flows__flownet2__recipe__batch": 3}, "flows.flownet2.recipe.batch"),
        (
            {"flows__flownet2__recipe__steps__flownetx": 3},
            "flows.flownet2.recipe.steps",
        ),
    ],
)
def test_flow_settings_that_can_t_work_are_refused(change, where):
    (line,) = problems(**change)
    assert line.startswith(where)


def test_a_stage_without_steps_is_reported_before_anything_runs():
    config = changed()
    del config["flows"]["flownet2"]["recipe"]["steps"]["flownets_2"]
    (line,) = problems_of(config)
    assert line.startswith("flows.flownet2.recipe: steps {")


def test_weights_of_flownet2_lie_below_the_data_and_are_named_when_missing():
    fits = {"flows__flownet2__weights": "f.pth.tar", "flows__flownet2__width": 1.0}
    there = plan(data="/nowhere", **fits)
    assert there.world.flows["flownet2"].weights == "/nowhere/f.pth.tar"
    wanted = (
        "weights of flownet2: looked for /nowhere/f.pth.tar; put it there, or set"
        " flows.flownet2.weights"
    )
    assert needs.missing(there) == [wanted]
    assert needs.missing(plan(data="/nowhere", select__table2_flow=None, **fits)) == []


def test_a_window_must_fit_the_network(monkeypatch):
    monkeypatch.setattr(models, "frames", lambda name: 7)
    lines = problems(patches__spatial__window=5)
    assert any("patches.spatial.window must be 7 or more" in line for line in lines)


def test_a_network_of_whole_clips_needs_patches_of_several_frames():
    lines = problems(patches__spatial__window=1, select__methods=["rrn"])
    assert any(
        "rrn reads all frames, so patches.spatial.window must be 3" in line
        for line in lines
    )


@pytest.mark.parametrize(
    ("name", "loss", "lacks"),
    [
        ("sosr_wmse", {"kind": "wmse", "criterion": "huber"}, "wmse has no criterion"),
        ("spmc", {"kind": "own", "pixels": "rgb"}, "own has no pixels"),
    ],
)
def test_a_setting_that_a_loss_would_ignore_is_refused(name, loss, lacks):
    (line,) = problems(**{f"methods__{name}__recipe__loss": loss})
    assert lacks in line


def test_a_loss_of_its_own_must_be_there():
    lines = problems(methods__rrn__recipe__loss={"kind": "own"})
    assert lines == ["methods.rrn.recipe.loss: rrn has no loss of its own"]
    assert problems(methods__spmc__recipe__loss={"kind": "own"}) == []


def test_a_row_says_where_its_weights_come_from():
    given = {"label": "Given", "model": "duf", "weights": "w/params_16L_x4.h5"}
    there = plan(methods__given={**given, "note": "blurred"})
    origins = {name: there.methods.origin(name) for name in there.world.methods}
    assert origins["given"] == "published weights params_16L_x4.h5; blurred"
    assert origins["bicubic"] == "nothing is learnt"
    assert origins["hr"] == "the original frames"
    assert origins["sosr_tosr2"] == "spatial of sosr, temporal of tosr2"
    assert origins["duf16"] == (
        "trained here on Corpus (generated), MSE, bicubic low resolution, 400 steps,"
        " after trained here on Corpus (generated), MSE, bicubic low resolution, 800"
        " steps"
    )
    assert origins["tosr2"].startswith(
        "trained here on Corpus (generated), tosr loss, bicubic low resolution"
    )


def test_a_row_says_on_whose_videos_it_was_trained():
    own = {"label": "Films", "videos": "/films", "generated": None}
    config = changed()
    config["datasets"]["corpus"] |= own
    there = Plan.of(config)
    assert there.methods.origin("vdsr").startswith("trained here on Films, MSE")
    assert there.networks.sr_training("vdsr").corpus == "corpus"


def _read(config):
    return registry.inputs_read(Plan.of(config).world)


def _networks(**changes):
    there = plan(**changes)
    return sorted(there.methods.networks(there.tables.methods_read))


def test_streams_are_scored_only_where_a_table_takes_them():
    read = _read(DEFAULT)
    assert read["sosr_wmse"] == {"frames"}
    assert read["sosr"] == {"frames", "flow"}
    pair = {"label": "Pair", "frames_of": "sosr", "flow_of": "tosr1"}
    config = changed(methods__pair=pair, **only("pair"))
    assert _read(config) == {"sosr": {"frames"}, "tosr1": {"flow"}}


def test_a_pair_in_table_2_takes_the_spatial_one_s_scores():
    pair = {"label": "Pair", "frames_of": "sosr", "flow_of": "tosr1"}
    config = changed(methods__pair=pair, select__table2={"P": "pair"})
    assert "pair" not in _read(config)


def test_table_2_can_be_switched_off():
    assert problems(select__table2=None, select__table2_flow=None) == []
    assert _networks(**only("bicubic", "hr")) == []


def test_a_network_s_recipe_is_the_shared_one_with_its_own():
    network = plan().methods.network("tosr1")
    assert network.model == "vdsr"
    assert network.settings == DEFAULT["starts"]["vdsr"]["settings"]
    shared = DEFAULT["training"]["recipe"]
    assert {key: getattr(network.recipe, key) for key in shared} == shared
    assert network.recipe.loss.kind == "tosr"


def test_only_what_is_shown_is_trained():
    few = plan(**only("bicubic", "hr"))
    assert few.methods.networks(few.tables.methods_read) == {}
    assert few.methods.patch_sets(few.tables.methods_read) == []
    assert _networks(select__methods=["bicubic", "tosr1", "hr"]) == [
        "sosr",
        "sosr_other_flow",
        "sosr_wmse",
        "sosr_wmse_other_flow",
        "starts/vdsr",
        "tosr1",
        "vdsr",
    ]


def test_weights_and_corpora_that_are_missing_are_named():
    there = plan(
        data="/nowhere",
        starts__vdsr__weights="vdsr.mat",
        training__perceptual__weights="vgg.caffemodel",
        datasets__corpus={"label": "C", "kind": "corpus", "videos": "clips"},
    )
    lines = needs.missing(there)
    assert [line.split(":")[0] for line in lines] == [
        "videos of corpus corpus",
        "weights of starts/vdsr",
        "perceptual network",
    ]
    assert (
        "looked for /nowhere/vdsr.mat; put it there, or set starts.vdsr.weights"
        in (lines[1])
    )


# --- the paper's numbers --------------------------------------------------------------


def test_section_4_2_stands_in_the_paper_s_config():
    """Every number of the text, by the sentence that has it."""
    config = merged("paper.yaml")
    assert models.SCALE == 4  # "4x down-sampling with bicubic interpolation"
    methods = Plan.of(config).methods
    for name in ("spatial", "temporal"):
        patches = config["patches"][name]
        assert patches["size"] == 128  # "cut into 128x128 aligned patches"
        assert patches["crops"] == 10  # "the top 10 crops"
        assert patches.get("gap", 1) == 1  # "two consecutive frames"
        corpus = config["datasets"][patches["corpus"]]
        assert corpus["label"] == "CDVL-134"
        assert corpus["pairs"] == 120  # "randomly select 120 frames from each video"
        assert corpus["short_side"] == 240  # "around 320x240"
    recipes = {n: methods.network(n).recipe for n in ("vdsr", "sosr", "tosr1")}
    for recipe in recipes.values():
        assert recipe.lr == 1e-3  # "initialized as 1e-3 and 1e-4 respectively"
        assert recipe.lr * recipe.bias_lr == pytest.approx(1e-4)
        assert recipe.schedule == "steps"  # "decrease to 1/10 every quarter of"
        assert recipe.milestones == (0.25, 0.5, 0.75)
        assert recipe.steps == 54_780
    assert recipes["sosr"].batch == 50  # "Batch size is set to 50"
    assert recipes["tosr1"].batch == 60  # "except batch size is 60"
    assert recipes["sosr"].loss.alpha == 5.29e-5
    terms = recipes["tosr1"].loss.terms
    assert terms == pytest.approx([1 / 11, 10 / 11, 0])
    assert config["patches"]["temporal"]["flow"] == "tvl1"  # "TVL1 predictor"
    for name in ("tosr2", "duf16"):  # the row that ToSR2 is compared with: the same
        recipe = methods.network(name).recipe
        assert recipe.lr == 0.01  # "the initial learning rate is 0.01"
        assert recipe.batch == 16  # "We use batch size 16"
        each_epoch = 143_250 / 16  # "143,250 patch pairs for training"
        fall = recipe.steps * recipe.milestones[0] / each_epoch
        assert fall == pytest.approx(10, abs=0.01)  # "to 1/10 every 10 epochs"
    loss = methods.network("tosr2").recipe.loss
    assert loss.terms == (1, 1, 1)  # "alpha = beta = gamma = 1 for ToSR2"
    start = config["starts"]["duf16"]
    assert start["weights"].endswith("params_16L_x4.h5")  # "fine-tune from the model"
    assert (start["settings"]["depth"], start["settings"]["width"]) == (16, 64)
    start = config["starts"]["vdsr"]
    assert start["weights"].startswith("weights/VDSR_")  # "a VDSR model well trained"
    assert (start["recipe"]["steps"], start["recipe"]["schedule"]) == (54_780, "steps")
    assert start["settings"] == {"width": 64, "depth": 20}
    assert "VGG_ILSVRC_16_layers" in config["training"]["perceptual"]["weights"]
    assert config["training"]["split"]["by"] == "clip"


def test_the_released_choices_go_over_the_paper_s():
    config = merged("paper.yaml", "released.yaml")
    methods = Plan.of(config).methods
    assert config["training"]["split"] == {"by": "pair", "share": 0.0655}
    assert config["patches"]["temporal"]["gap"] == 2
    assert config["patches"]["spatial"]["cut"] == "patch"
    loss = methods.network("sosr").recipe.loss
    assert (loss.kind, loss.alpha, loss.power) == ("sosr", 5.29e-5, 2)
    tosr2 = methods.network("tosr2").recipe
    assert (tosr2.lr, tosr2.loss.criterion) == (0.001, "huber")
    for name in ("duf16", "duf52"):
        recipe = methods.network(name).recipe
        assert (recipe.lr, recipe.loss.criterion) == (0.001, "huber")


# --- paths ----------------------------------------------------------------------------

WEIGHTS = {"spatial": "w/a.pt", "temporal": "/b.pt"}


def test_relative_paths_lie_below_data():
    world = plan(
        data="/d",
        datasets__yard__videos="UCF-101",
        datasets__yard__splits="lists",
        datasets__yard__split_file="split.csv",
        recognisers__tsn__init="net.pt",
        recognisers__tsn__weights={"yard": WEIGHTS},
    ).world
    yard, tsn = world.datasets["yard"], world.recognisers["tsn"]
    assert yard.videos == "/d/UCF-101"
    assert yard.splits == "/d/lists"
    assert yard.split_file == "/d/split.csv"
    assert tsn.init == "/d/net.pt"
    assert tsn.weights["yard"].spatial == "/d/w/a.pt"


def test_absolute_paths_stay():
    weights = {"yard": WEIGHTS}
    changes = {
        "datasets__yard__videos": "/v/UCF-101",
        "recognisers__tsn__weights": weights,
    }
    world = plan(data="/d", **changes).world
    assert world.datasets["yard"].videos == "/v/UCF-101"
    assert world.recognisers["tsn"].weights["yard"].temporal == "/b.pt"


def test_paths_from_home_stay_there(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    world = plan(data="/d", datasets__yard__videos="~/v").world
    assert world.datasets["yard"].videos == "/home/me/v"


def test_data_itself_may_lie_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    world = plan(data="~/d", datasets__yard__videos="v").world
    assert world.datasets["yard"].videos == "/home/me/d/v"


def test_two_recognisers_of_one_table_are_refused():
    twin = {**DEFAULT["recognisers"]["tsn"], "label": "Twin"}
    lines = problems(recognisers__twin=twin, select__recognisers=["tsn", "twin"])
    wanted = "recognisers.twin.table: table3 is another table; give it its own"
    assert lines == [wanted]


@pytest.mark.parametrize("table", ["table2", "flow_error", "table3_long"])
def test_a_recogniser_s_table_is_no_other_file(table):
    (line,) = problems(recognisers__tsn__table=table)
    assert line == f"recognisers.tsn.table: {table} is another table; give it its own"


def test_a_table_s_name_is_no_path():
    (line,) = problems(recognisers__tsn__table="../x y")
    assert line.startswith("recognisers.tsn.table: '../x y'")


def test_flow_estimators_have_labels_of_their_own():
    (line,) = problems(flows__gpu={"kind": "tvl1", "preset": "gpu24"})
    assert line.startswith("flows.gpu.label: flows.tvl1 is called 'TV-L1' too")


def test_no_recogniser_is_called_all():
    config = changed()
    config["recognisers"]["all"] = {**DEFAULT["recognisers"]["tsn"], "label": "All"}
    config["select"]["recognisers"] = ["all"]
    (line,) = problems_of(config)
    assert line.startswith("recognisers.all: files of all frames have this name")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"note": datetime.date(2019, 1, 1)}, None),
        ({"datasets__yard__videos": "~no_such_user/x"}, "datasets.yard.videos: "),
        ({"flows__tvl1": None}, "flows.tvl1.kind: no kind None; there are: "),
        ({"patches__spatial__gap": "1"}, "patches.spatial.gap: '1'"),
    ],
)
def test_an_odd_value_is_a_line_and_no_traceback(change, where):
    lines = problems(**change)
    assert not where or (len(lines) == 1 and lines[0].startswith(where))
    assert "1.0e-3" not in "".join(lines)


TSN, ST = "recognisers__tsn", "recognisers__st_resnet"
INFINITE = float("inf")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (f"{TSN}__views", {"crop": 10**6}),
        (f"{TSN}__views", {"crop": 80, "size": [10**6, 10**6]}),
        (f"{TSN}__views", {"crop": 80, "scales": [1e-9, 1.0]}),
        (f"{ST}__views", {"crop": 10**6}),
        (f"{ST}__views", {"scales": [1e-9, 1.0]}),
        (f"{ST}__sampling", {"frames": 10**9}),
        (f"{ST}__size", {"width": 10**9}),
        (f"{TSN}__sampling", {"snippets": 10**9}),
        (f"{TSN}__training__spatial__batch", 10**12),
        ("training__recipe__batch", 10**12),
        ("training__recipe__lr", INFINITE),
        ("training__recipe__lr", float("nan")),
        ("training__recipe__steps", INFINITE),
        ("methods__tosr1__recipe__loss", {"kind": "tosr", "terms": [0, 0, 0]}),
        ("datasets__workshop__limits", {"seconds": INFINITE}),
        ("datasets__yard__generated", {"kind": "action", "width": 10**6}),
        ("starts__vdsr__settings", {"width": -3, "depth": 4}),
        ("starts__vdsr__settings", {"width": "x", "depth": 4}),
        ("starts__vdsr__settings", {"width": 3, "depth": 0}),
        ("starts__vdsr__settings", {"width": True, "depth": 4}),
        ("starts__duf16__settings", {"depth": 10**9}),
        ("starts__duf16__settings", {"depth": 10, "bilinear": 1}),
        ("patches__spatial__size", 10**9),
        ("patches__spatial__window", 10**9),
        ("resources__threads", 10**9),
        ("seed", 10**40),
        ("seed", -1),
        ("world", "x" * 400),
        ("world", "../x"),
        ("methods__vdsr__label", "a\nb"),
        ("methods__vdsr__label", "a\x00b"),
        ("methods__vdsr__label", ""),
    ],
)
def test_values_that_no_job_can_work_with_are_refused_by_their_key(where, value):
    """Each ended in a traceback, or never, in a job."""
    lines = problems(**{where: value})
    assert lines
    assert any(line.startswith(where.replace("__", ".")[:12]) for line in lines)


def test_changes_that_do_not_fit_their_recipe_are_refused():
    change = {"yard": {"stage1": {"batch": 15}}}
    whole = {"training__stage1__parts": 4, "changes": change}
    found = problems(**{f"{ST}__{key}": value for key, value in whole.items()})
    line = "changes.yard.stage1: batch 15 is no multiple of its parts, 4"
    assert len(found) == 1
    assert found[0].startswith(f"recognisers.st_resnet.{line}")


def test_a_data_set_named_by_a_number_is_refused():
    config = changed()
    config["datasets"][5] = config["datasets"]["yard"]
    assert any("datasets.5" in line for line in problems_of(config))


def repeated(times):
    """Lists of ten that hold one another, as YAML's anchors make them."""
    value = ["x"] * 10
    for _ in range(times):
        value = [value] * 10
    return value


def circle():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize("value", [repeated(9), circle()], ids=["bomb", "circle"])
def test_a_config_of_endless_anchors_is_refused(value):
    assert problems(note=value) == [
        "the config: more than 200,000 values: anchors (&, *) repeat others"
    ]


def test_a_long_value_is_cut_off_in_its_message():
    (line,) = problems(world="x" * 10**6)
    assert len(line) < 400
    assert "xxx...: String should" in line
