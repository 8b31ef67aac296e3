"""Networks are tried with their settings, without their memory where that goes."""

import pytest
import torch
from torch import nn

from twinlens.networks import build, families
from twinlens.networks.job import Build


def tried(monkeypatch, make):
    monkeypatch.setattr(families, "build", lambda family, kind, **_: make())
    each = Build(where="methods.own.settings", family="sr", kind="own", settings={})
    return list(build.faults([each]))


def reads_a_value():
    rates = [each.item() for each in torch.linspace(0, 1, 3)]
    return nn.Linear(2, len(rates))


def test_a_network_that_reads_a_value_of_its_own_is_no_fault(monkeypatch):
    assert tried(monkeypatch, reads_a_value) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("even, and 10 or more"), "even, and 10 or more"),
        (KeyError("width"), "'width'"),
        (RuntimeError("negative side\ntrace of C++"), "negative side"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_whatever_a_network_raises_is_a_line(monkeypatch, error, words):
    def refuse():
        raise error

    assert tried(monkeypatch, refuse) == [f"methods.own.settings: {words}"]
