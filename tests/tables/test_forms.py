"""What stands on every table."""

from tests.tables.scores import layout
from twinlens.tables import forms


def test_a_note_of_several_lines_stays_in_the_first():
    of_lines = layout({}, note="our videos,\nfilmed in May\n")
    first = forms.head("table 3", of_lines, "accuracy")
    assert first.endswith("; our videos, filmed in May")
