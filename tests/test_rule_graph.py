"""Which rules read the files of which, drawn."""

import networkx as nx

from twinlens import dry_run, rule_graph
from twinlens.dry_run import Job

JOBS = [
    Job("score", {}, ["hr.h5", "net.h5"], ["score.h5"]),
    Job("frames", {}, [], ["hr.h5"]),
    Job("train", {}, ["hr.h5"], ["start.h5"]),
    Job("train", {}, ["hr.h5", "start.h5"], ["net.h5"]),
    Job("audit", {}, ["given.csv"], ["audit.csv"]),
]


def test_an_edge_is_a_file_that_another_rule_writes():
    found = rule_graph.graph(JOBS)
    assert list(found) == ["audit", "frames", "score", "train"]
    edges = {("frames", "score"), ("frames", "train"), ("train", "score")}
    assert set(found.edges) == edges


def test_a_rule_stands_below_all_that_it_reads():
    places = rule_graph.places(rule_graph.graph(JOBS))
    lines = {rule: line for rule, (_, line) in places.items()}
    assert lines == {"audit": 0, "frames": 0, "train": 1, "score": 2}
    assert len(set(places.values())) == len(places)


def test_rules_move_below_what_they_read():
    pairs = [("a", "z"), ("b", "y"), ("c", "x")]
    x = {rule: at for rule, (at, _) in rule_graph.places(nx.DiGraph(pairs)).items()}
    assert all(x[source] == x[target] for source, target in pairs)


def test_the_picture_is_written_in_three_forms(tmp_path, monkeypatch):
    seen = []

    def jobs(configs, anew):
        seen.append((configs[0].read_text(), anew))
        return JOBS

    monkeypatch.setattr(dry_run, "jobs", jobs)
    rule_graph.draw_rules({"world": "x"}, tmp_path / "rules.png")
    assert seen == [('{"world": "x"}', True)]
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["rules.pdf", "rules.png", "rules.svg"]
    for rule in ("frames", "train", "score", "audit"):
        assert rule in (tmp_path / "rules.svg").read_text()
