import copy
from pathlib import Path

import pytest
import yaml

from twinlens import config as checks
from twinlens import doctor

ROOT = Path(doctor.__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
OVERLAYS = sorted((ROOT / "config").glob("*.yaml"))


def changed(**changes):
    """The default config with values at dotted paths, `__` for a dot."""
    config = copy.deepcopy(DEFAULT)
    for path, value in changes.items():
        *parents, last = path.split("__")
        entry = config
        for key in parents:
            entry = entry.setdefault(key, {})
        entry[last] = value
    return config


def problems(**changes):
    return checks.problems(changed(**changes), SCHEMA)


def test_the_default_config_is_valid():
    assert checks.problems(DEFAULT, SCHEMA) == []


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_every_overlay_gives_a_valid_config(path):
    merged = doctor._merged([ROOT / "config.yaml", path])
    assert checks.problems(merged, SCHEMA) == []


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
        ("flow__bond", "flow", "bound"),
        ("recogniser__backbon", "recogniser", "backbone"),
        ("recogniser__sampling__snipets", "recogniser.sampling", "snippets"),
        ("recogniser__views__crap", "recogniser.views", "crop"),
        (
            "recogniser__training__spatial__stepz",
            "recogniser.training.spatial",
            "steps",
        ),
        (
            "recogniser__training__spacial",
            "recogniser.training",
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
    (line,) = problems(flow__zzz=1)
    assert line == "flow: unknown key 'zzz'; there are: bound, preset"


def test_a_key_that_yaml_reads_as_a_truth_value_is_told():
    config = changed()
    config["flow"][True] = 1
    (line,) = checks.problems(config, SCHEMA)
    assert line.startswith("flow: unknown key True")


def test_unknown_keys_are_told_all_at_once():
    assert len(problems(sede=1, flow__bond=1, resources__gpu=1)) == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("world", "Upper case"),
        ("seed", "2019"),
        ("seed", -1),
        ("scale", 2),
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
        ("flow__preset", "slow"),
        ("flow__bound", 0),
        ("recogniser__fusion", [1.0]),
        ("recogniser__views__crops", 3),
        ("recogniser__views__size", [340]),
        ("recogniser__weights__yard", {"spatial": "a"}),
        ("recogniser__training__spatial__lr", "1e-4"),
        ("resources__mem_mb", 0),
    ],
)
def test_a_wrong_value_is_told_with_its_place(key, value):
    (line,) = problems(**{key: value})
    place = key.replace("__", ".")
    assert line.startswith((f"{place}: ", f"{place}."))


def test_a_wrong_value_is_told_with_the_meaning_of_its_key():
    (line,) = problems(seed=-1)
    assert "Master seed" in line


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_a_lacking_key_is_named(key):
    config = changed()
    del config[key]
    assert any(
        f"'{key}' is a required" in each for each in checks.problems(config, SCHEMA)
    )


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
        ({"spatial": "hr", "temporal": "hr", "model": "bicubic"}, "and no model"),
        ({"spatial": "hr"}, "a pair names spatial and temporal"),
        ({"temporal": "hr"}, "a pair names spatial and temporal"),
        ({"spatial": "hr", "temporal": "bicubik"}, "did you mean 'bicubic'?"),
        ({}, "names no model"),
    ],
)
def test_a_method_is_a_model_or_a_whole_pair(method, said):
    (line,) = problems(methods__pair={"label": "Pair", **method})
    assert line.startswith("methods.pair")
    assert said in line


def test_a_pair_of_defined_methods_is_valid():
    pair = {"label": "Pair", "spatial": "hr", "temporal": "bicubic"}
    assert problems(methods__pair=pair) == []


def test_a_crop_larger_than_the_frame_is_told():
    (line,) = problems(recogniser__views__size=[340, 64])
    assert line == "recogniser.views: crop is larger than size"


def test_weights_of_no_data_set_are_told():
    (line,) = problems(recogniser__weights={"yart": {"spatial": "a", "temporal": "b"}})
    assert line == "recogniser.weights: unknown key 'yart'; did you mean 'yard'?"


def test_a_model_a_backbone_or_a_kind_that_is_not_there_is_told():
    assert "no model 'bicubik'; did you mean 'bicubic'?" in " ".join(
        problems(methods__bicubic__model="bicubik")
    )
    assert "no 'compakt'; did you mean 'compact'?" in " ".join(
        problems(recogniser__backbone="compakt")
    )
    assert "no kind 'foldr'; did you mean 'folder'?" in " ".join(
        problems(datasets__yard__kind="foldr")
    )


def test_a_pair_of_a_pair_is_told():
    methods = {
        "one": {"label": "One", "spatial": "hr", "temporal": "bicubic"},
        "two": {"label": "Two", "spatial": "one", "temporal": "hr"},
    }
    (line,) = problems(**{f"methods__{name}": each for name, each in methods.items()})
    assert line == "methods.two.spatial: 'one' is a pair itself"


def test_a_corpus_is_no_column():
    (line,) = problems(select__datasets=["corpus"])
    assert "is a corpus" in line


def test_low_clips_without_full_ones_to_train_on_are_told():
    (line,) = problems(datasets__yard__low="given")
    assert "needs split_file" in line


def test_real_videos_need_a_size():
    entry = {"label": "Mine", "kind": "folder", "videos": "mine"}
    (line,) = problems(datasets__mine=entry, select__datasets=["mine"])
    assert line.startswith("recogniser.views.size: ")


def test_weights_that_saw_the_test_clips_are_told():
    weights = {"yard": {"spatial": "ucf101_split_1_rgb.pth", "temporal": "flow.pth"}}
    (line,) = problems(recogniser__weights=weights, datasets__yard__split=2)
    assert "was trained on clips that split 2 tests" in line


def test_no_weights_can_be_said_by_null():
    assert (
        checks.located(changed(recogniser__weights=None))["recogniser"]["weights"] == {}
    )


# --- paths ----------------------------------------------------------------------------

WEIGHTS = {"spatial": "w/a.pt", "temporal": "/b.pt"}


def test_relative_paths_lie_below_data():
    made = checks.located(
        changed(
            data="/d",
            datasets__yard__videos="UCF-101",
            datasets__yard__splits="lists",
            datasets__yard__split_file="split.csv",
            recogniser__init="net.pt",
            recogniser__weights={"yard": WEIGHTS},
        )
    )
    yard = made["datasets"]["yard"]
    assert yard["videos"] == "/d/UCF-101"
    assert yard["splits"] == "/d/lists"
    assert yard["split_file"] == "/d/split.csv"
    assert made["recogniser"]["init"] == "/d/net.pt"
    assert made["recogniser"]["weights"]["yard"]["spatial"] == "/d/w/a.pt"


def test_absolute_paths_stay():
    made = checks.located(
        changed(
            data="/d",
            datasets__yard__videos="/v/UCF-101",
            recogniser__weights={"yard": WEIGHTS},
        )
    )
    assert made["datasets"]["yard"]["videos"] == "/v/UCF-101"
    assert made["recogniser"]["weights"]["yard"]["temporal"] == "/b.pt"


def test_paths_from_home_stay_there(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    made = checks.located(changed(data="/d", datasets__yard__videos="~/v"))
    assert made["datasets"]["yard"]["videos"] == "/home/me/v"


def test_data_itself_may_lie_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    made = checks.located(changed(data="~/d", datasets__yard__videos="v"))
    assert made["datasets"]["yard"]["videos"] == "/home/me/d/v"


def test_the_given_config_is_not_changed():
    config = changed(datasets__yard__videos="v")
    checks.located(config)
    assert config["datasets"]["yard"]["videos"] == "v"


def test_the_default_config_needs_no_paths():
    assert checks.located(DEFAULT) == DEFAULT
