"""Why a file would be made again, from the commands before and now."""

import pytest

from twinlens import why
from twinlens.dry_run import Job
from twinlens.records import Record

COMMAND = (
    "python -m twinlens.training train --job '{{\"lr\":{lr}}}' --threads {threads}"
    " --devices {devices}"
)


def reason(tmp_path, rule="train_sr", **now):
    out = tmp_path / "out.h5"
    out.touch()
    settings = {"lr": 1, "threads": 2, "devices": 1}
    command = COMMAND.format(**settings)
    record = Record(rule=rule, command=command, inputs=[], params=[])
    command = COMMAND.format(**settings | now)
    why_run = "Params have changed since last execution"
    job = Job(rule, {}, [], [str(out)], reason=why_run, command=command)
    return why.reason(job, record)


@pytest.mark.parametrize(
    ("now", "line"),
    [
        ({"lr": 2}, "setting lr: 1 before, 2 now"),
        ({"devices": 2}, "setting devices: 1 before, 2 now"),
        ({}, "the code of its job changed"),
        ({"threads": 4}, "the code of its job changed"),
    ],
)
def test_what_differs_in_the_command_is_named(tmp_path, now, line):
    assert reason(tmp_path, **now) == line


def test_what_no_command_shows_is_named_beside_the_code(tmp_path):
    said = reason(tmp_path, rule="classes")
    assert said == "the code of its job changed, or the names of its classes"
