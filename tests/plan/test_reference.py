"""The schema and the docs page are those of the typed world."""

import jsonschema
import pytest
import yaml

from tests.plan.worlds import DEFAULT, OVERLAYS, ROOT, merged
from twinlens.plan import reference


def test_the_schema_is_that_of_the_classes():
    stored = yaml.safe_load((ROOT / reference.SCHEMA).read_text())
    assert stored == reference.schema(), "run python -m twinlens.plan.reference"


def test_the_page_is_that_of_the_classes():
    stored = (ROOT / reference.PAGE).read_text()
    assert stored == reference.page(), "run python -m twinlens.plan.reference"


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_the_schema_takes_every_world(path):
    validator = jsonschema.Draft202012Validator(reference.schema())
    assert list(validator.iter_errors(merged(path.name))) == []
    assert list(validator.iter_errors({**DEFAULT, "sede": 1}))


def test_every_key_is_explained_or_names_what_explains_it():
    whole = reference.schema()
    bare = [
        f"{name}.{key}"
        for name, node in {"World": whole, **whole["$defs"]}.items()
        for key, entry in node.get("properties", {}).items()
        if not entry.get("description") and "$ref" not in entry and key != "kind"
    ]
    assert bare == []
