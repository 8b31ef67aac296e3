"""One look of all figures."""

from dataclasses import replace

import matplotlib as mpl
import pytest

from tests.tables import scores
from twinlens.figures import style
from twinlens.tables.settings import FigureJob


def job(*names, **labels):
    methods = {name: scores.method(name, labels.get(name)) for name in names}
    layout = scores.layout(methods)
    return FigureJob(module="x", dataset="one", layout=layout, order=names)


def mark(job, name):
    return style.mark(job.layout, job.order, name)


def test_methods_are_told_apart_by_colour_and_sign():
    names = [f"m{index}" for index in range(13)]
    marks = [mark(job(*names), name) for name in names]
    assert len({each.color for each in marks[:12]}) == 12
    assert len({each.marker for each in marks[:12]}) == 12
    assert marks[12] == marks[0]


def test_a_method_looks_the_same_beside_any_others():
    few = replace(job("sosr", "rrn"), order=("vdsr", "sosr", "tosr2", "rrn"))
    many = job("vdsr", "sosr", "tosr2", "rrn")
    assert mark(few, "rrn") == mark(many, "rrn")


def test_originals_are_black_and_bicubic_is_grey():
    made = job("hr", "bicubic", bicubic="Bicubic")
    assert mark(made, "hr").color == "black"
    assert mark(made, "bicubic").color == style.INTERPOLATION


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
