"""What a run's terminal shows of Snakemake's own messages."""

import logging
from types import SimpleNamespace

import pytest

import snakemake_logger_plugin_twinlens as plugin


@pytest.fixture
def shown(capsys):
    """What is printed of a message of a level."""
    handler = object.__new__(plugin.LogHandler)
    logging.Handler.__init__(handler)
    handler.common_settings = SimpleNamespace(verbose=False, printshellcmds=False)
    plugin.LogHandler.__post_init__(handler)

    def show(text, level=logging.ERROR, **fields):
        record = logging.makeLogRecord({"msg": text, "levelno": level, **fields})
        handler.emit(record)
        return capsys.readouterr().err.strip()

    return show


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("WorkflowError:\nConfig file is not valid JSON or YAML.", "twinlens doctor"),
        (
            "MissingRuleException:\nNo rule to produce results/tiny/scores/x.h5 (if",
            "comes by --configfile of its own",
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'none.yaml'",
            "is looked for from where",
        ),
    ],
)
def test_errors_of_snakemake_come_with_what_to_do(shown, text, hint):
    said = shown(text)
    assert said.startswith(text)
    assert hint in said.splitlines()[-1]


def test_other_errors_come_as_they_are(shown):
    text = "MissingRuleException:\nNo rule to produce results/table9.csv (if you"
    assert shown(text) == text


def test_a_dry_run_beside_a_run_does_not_speak_of_locks(shown):
    assert shown(plugin.BESIDE) == ""
    assert shown("disk quota", logging.WARNING) == "disk quota"
