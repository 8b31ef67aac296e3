"""One look of all figures."""

from dataclasses import replace

import matplotlib as mpl
import pytest

from tests.tables import scores
from twinlens.figures import style


def method(place, name="sosr", **changes):
    return replace(scores.method(name, **changes), place=place)


def test_methods_are_told_apart_by_colour_and_sign():
    marks = [style.mark(method(place)) for place in range(12)]
    assert len({each.color for each in marks}) == 12
    assert len({each.marker for each in marks}) == 12
    assert style.mark(method(12)) == marks[0]


def test_originals_are_black_and_bicubic_is_grey():
    assert style.mark(method(3, "hr")).color == "black"
    bicubic = style.mark(method(3, "bicubic", paper="Bicubic"))
    assert bicubic.color == style.INTERPOLATION


def test_latin_greek_and_cyrillic_need_no_other_font(capsys):
    style.use(["SoSR", "α β", "Видео"])
    assert mpl.rcParams["font.family"] == [style.BASE]
    assert capsys.readouterr().err == ""


def test_letters_that_no_font_has_are_warned_of(capsys):
    style.use(["\U0001f9ff\U000e0041"])
    assert "WARNING no font here has" in capsys.readouterr().err


def test_a_font_that_has_the_letters_is_taken(monkeypatch, capsys):
    entry = style.font_manager.fontManager.ttflist[0]
    has = {entry.fname: frozenset("字")}
    monkeypatch.setattr(style, "_letters", lambda path: has.get(path, frozenset("a")))
    style.use(["字"])
    assert mpl.rcParams["font.family"] == [style.BASE, entry.name]
    assert capsys.readouterr().err == ""


@pytest.fixture(autouse=True)
def _restored():
    with mpl.rc_context():
        yield
