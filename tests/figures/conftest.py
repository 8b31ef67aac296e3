"""What the tests of figures share."""

import pytest
from matplotlib import pyplot


@pytest.fixture
def axes(monkeypatch):
    """The panels of what is drawn, kept open."""
    kept = []
    monkeypatch.setattr(pyplot, "close", lambda figure: kept.extend(figure.axes))
    yield kept
    monkeypatch.undo()
    pyplot.close("all")
