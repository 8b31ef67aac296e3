"""What a person sees of long work."""

import pytest

from twinlens import progress
from twinlens.progress import teller, track


@pytest.fixture
def often(monkeypatch):
    """Plain lines without waiting between them."""
    monkeypatch.setenv("TWINLENS_PLAIN", "1")
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)


def test_everything_comes_through(often):
    assert list(track(range(5), "work")) == [0, 1, 2, 3, 4]


def test_lines_have_count_part_rate_and_time_left(often, capsys):
    list(track(range(4), "work", "frames"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("work: 1 of 4 frames (25 %), ")
    assert "frames/s" in lines[0]
    assert lines[0].endswith(" left")


def test_what_was_done_before_counts_and_is_no_speed(often, capsys, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    list(track(range(6, 10), "work", "steps", 10, done=6))
    first, *_ = capsys.readouterr().err.splitlines()
    assert first == "work: 7 of 10 steps (70 %), 1 steps/s, 0:03 left"


@pytest.mark.parametrize("stated", [2, 9])
def test_a_wrong_total_ends_with_what_there_was(often, capsys, stated):
    list(track(iter(range(4)), "work", total=stated))
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "work: 4 clips in 0:00"
    assert not any("-" in line or "1" + "33 %" in line for line in lines)


def test_the_last_line_tells_how_long_it_took(often, capsys):
    list(track(range(4), "work"))
    assert capsys.readouterr().err.splitlines()[-1] == "work: 4 clips in 0:00"


def test_work_of_unknown_length_tells_its_rate(often, capsys):
    list(track(iter(range(2)), "work"))
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith("work: 1 clips, ")
    assert last == "work: 2 clips in 0:00"


def test_nothing_to_do_is_reported_too(often, capsys):
    list(track([], "work"))
    assert capsys.readouterr().err == "work: 0 clips in 0:00\n"


def test_logs_hold_no_control_characters(often, capsys):
    tell = teller("work")
    tell(1, 2)
    tell(2, 2)
    assert "\r" not in capsys.readouterr().err


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.delenv("TWINLENS_PLAIN", raising=False)
    monkeypatch.setattr(progress, "plain", lambda: False)
    list(track(range(3), "work"))
    assert "100%" in capsys.readouterr().err
