"""Settings that are typed once: for the config, a job, its command line."""

import dataclasses
import json
from dataclasses import asdict
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from twinlens import settings
from twinlens.settings import STRICT, DataPath, Partial
from twinlens.training.recipe import Loss, Recipe

ENTRY = {"patches": "spatial", "loss": {"kind": "mse"}, "steps": 4, "lr": 1e-3}


def parse(kind, entry, strict=True, **context):
    """An entry of the config as it is loaded, or a job's JSON where not strict."""
    adapter = TypeAdapter(kind)
    return adapter.validate_json(
        json.dumps(entry), strict=strict or None, context=context
    )


def faults(kind, entry, **how):
    """What is wrong with an entry: a line each, with where it is."""
    with pytest.raises(ValidationError) as refused:
        parse(kind, entry, **how)
    return [
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
        for each in refused.value.errors()
    ]


def test_lists_of_the_config_stand_for_tuples():
    recipe = parse(Recipe, {**ENTRY, "milestones": [0.5, 1]})
    assert recipe.milestones == (0.5, 1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stepz": 3}, "stepz: Unexpected keyword argument"),
        ({"steps": 0}, "steps: Input should be greater than or equal to 1"),
        ({"steps": "4"}, "steps: Input should be a valid integer"),
        ({"loss": {"kind": "mae"}}, "loss.kind: Input should be 'mse', "),
    ],
)
def test_what_is_wrong_is_said_with_where_it_is(change, words):
    (line,) = faults(Recipe, {**ENTRY, **change})
    assert line.startswith(words)


def test_every_fault_is_listed():
    first, second = faults(Recipe, {**ENTRY, "steps": 0, "batch": 0})
    assert first.startswith("steps: ")
    assert second.startswith("batch: ")


def test_a_key_that_is_unknown_is_an_error_of_a_job_too():
    (line,) = faults(Recipe, {**ENTRY, "stepz": 3}, strict=False)
    assert line.startswith("stepz: ")


def test_code_may_give_lists_for_tuples_and_is_checked_too():
    fields = {**ENTRY, "loss": Loss(kind="mse")}
    assert Recipe(**fields, milestones=[0.5]).milestones == (0.5,)
    with pytest.raises(ValidationError, match="steps"):
        Recipe(**{**fields, "steps": 0})


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        parse(Recipe, ENTRY).steps = 5


def test_a_job_s_json_is_one_line_and_comes_back_the_same():
    recipe = parse(Recipe, {**ENTRY, "milestones": [0.5, 1]})
    text = settings.as_json(recipe)
    assert "\n" not in text
    assert TypeAdapter(Recipe).validate_json(text) == recipe


def test_a_mapping_of_settings_is_plain_all_through():
    found = settings.mapping(parse(Recipe, ENTRY))
    assert found["loss"]["kind"] == "mse"
    assert found == asdict(parse(Recipe, ENTRY))


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Big:
    """Settings of a stage."""

    steps: settings.Count
    rate: settings.Rate = 1.0
    name: str = "big"


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Small:
    """Settings of a job."""

    steps: settings.Count
    name: str
    file: DataPath = "here"
    part: Annotated[dict[str, Any], Partial(Big)] = dataclasses.field(
        default_factory=dict
    )


def test_fields_that_two_classes_share_are_taken_and_others_come_first():
    big = Big(steps=3)
    assert settings.shared(Small, big) == Small(steps=3, name="big")
    assert settings.shared(Small, big, name="own") == Small(steps=3, name="own")


def test_files_start_from_the_folder_of_the_data(tmp_path):
    entry = {"steps": 1, "name": "x", "file": "w/net.pt"}
    assert parse(Small, entry, data=str(tmp_path)).file == f"{tmp_path}/w/net.pt"
    entry["file"] = "/else/net.pt"
    assert parse(Small, entry, data=str(tmp_path)).file == "/else/net.pt"
    assert parse(Small, {**entry, "file": "net.pt"}).file == "net.pt"


def test_a_part_of_settings_is_checked_as_they_are():
    entry = {"steps": 1, "name": "x"}
    assert parse(Small, {**entry, "part": {"rate": 0.5}}).part == {"rate": 0.5}
    (line,) = faults(Small, {**entry, "part": {"rate": 0}})
    assert line == "part.rate: Input should be greater than 0"
    (line,) = faults(Small, {**entry, "part": {"rates": 1}})
    assert line.startswith("part.rates: Extra inputs are not permitted")
