"""Type settings once: for the config, a job, its command line and its artifact.

A stage's settings are one frozen pydantic dataclass. The config holds it or the plan
builds it, the workflow passes it to the job as JSON, the command line parses it, and
the artifact's identity contains it.
"""

import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
)
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

IN_JOB = "TWINLENS_MASTER" in os.environ
"""Whether this is a job of the workflow; descriptions would cost each 50 ms."""
STRICT = ConfigDict(
    extra="forbid", use_attribute_docstrings=not IN_JOB, defer_build=IN_JOB
)
"""Of every settings class: unknown keys are errors, docstrings are descriptions."""

Name = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]*$", max_length=64)]
Count = Annotated[int, Field(ge=1, le=10**8)]
"""Of steps, patches and the like."""
Few = Annotated[int, Field(ge=1, le=10**4)]
"""Of frames, crops, channels, clips of a batch: what memory must hold at once."""
Pixels = Annotated[int, Field(ge=16, le=2**14)]
"""A side of a picture."""
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Rate = Annotated[float, Field(gt=0, le=1e12)]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0, le=1e12)]
Label = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""A name on tables, of a line: no newline, no other control character."""


def as_json(settings: Any) -> str:
    """Write settings as one line of JSON, for the parameter of a rule.

    Snakemake compares parameters of built-in types only: it gets a string.
    """
    return TypeAdapter(type(settings)).dump_json(settings).decode()


def shared(kind: type, settings: Any, **others: Any) -> Any:
    """Build a settings class from the fields that it has in common with another.

    Args:
        kind: the class to build.
        settings: an instance of the other.
        others: fields of `kind` that override these.
    """
    names = {each.name for each in fields(kind)}
    found = {each.name: getattr(settings, each.name) for each in fields(settings)}
    return kind(**{key: found[key] for key in names & set(found)} | others)


def mapping(settings: Any) -> dict[str, Any]:
    """Settings as a mapping, for an artifact's `about`."""
    return asdict(settings)


def _below_data(path: str, info: ValidationInfo) -> str:
    root = (info.context or {}).get("data")
    if not isinstance(root, str):  # what else it is, is an error of its own
        return path
    try:
        return str((Path(root).expanduser() / Path(path).expanduser()).resolve())
    except RuntimeError as error:  # a user who is not there
        raise ValueError(f"{error}") from error


DataPath = Annotated[str, AfterValidator(_below_data)]
"""A file or folder; relative ones start from the config's `data`."""


def none_is_empty(entries: Any) -> Any:
    """Read a key without a value as an empty mapping."""
    return {} if entries is None else entries


class Partial:
    """Annotate a mapping that holds some fields of a settings class.

    `Annotated[dict[str, Any], Partial(Recipe)]` takes any of the fields of `Recipe`,
    and checks those there are.
    """

    def __init__(self, kind: Any) -> None:
        """Take the settings class."""
        self.kind = kind

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check as a mapping whose keys are all optional."""
        hints = {
            name: Annotated[
                field.annotation,
                *field.metadata,
                Field(description=self._description(name)),
            ]
            for name, field in self.kind.__pydantic_fields__.items()
        }
        some = TypedDict(f"{self.kind.__name__}Part", hints, total=False)  # type: ignore
        some.__pydantic_config__ = STRICT  # type: ignore[attr-defined]
        return handler.generate_schema(some)

    def _description(self, name: str) -> str | None:
        """What the class, or the base that a field is inherited from, says of it."""
        for kind in self.kind.__mro__:
            field = getattr(kind, "__pydantic_fields__", {}).get(name)
            if field and field.description:
                return str(field.description)
        return None
