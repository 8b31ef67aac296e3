"""What the explorer reads, and what it shows."""

from tests.plan.worlds import only, plan

ROOT = "results/playground"


def test_pictures_read_a_shard_s_frames_flow_and_scores_alone():
    there = plan(
        datasets__yard__shards={"test": 3}, **only("bicubic", "sosr_tosr2", "hr")
    )
    files = there.explorer.media_inputs("yard", "02")
    assert {file.split("/")[-1] for file in files} == {"test-02.h5"}
    kinds = {tuple(file.removeprefix(f"{ROOT}/").split("/")[:-1]) for file in files}
    frames = {("sr", "tsn", "yard", each) for each in ("bicubic", "sosr")}
    flow = {("flow", "tsn", "yard", each) for each in ("bicubic", "tosr2", "hr")}
    assert kinds >= frames | flow | {("frames", "tsn", "yard"), ("low", "tsn", "yard")}
    scores = {kind[-1] for kind in kinds if kind[0] == "scores"}
    assert scores == {"bicubic", "sosr", "tosr2", "hr"}


def test_the_page_reads_all_scores_tables_and_pictures():
    there = plan()
    files = there.explorer.inputs()
    for table in ("table3", "table4"):
        assert set(there.tables.table_inputs(table)) <= set(files)
        assert {f"{ROOT}/{table}.csv", f"{ROOT}/{table}_long.csv"} <= set(files)
    assert f"{ROOT}/explorer_media/yard/test-00.h5" in files
    job = there.explorer.job()
    assert job.tables == {"tsn": "table3", "st_resnet": "table4"}
    assert job.layouts["tsn"] == there.tables.table_job("table3").layout


def test_no_pictures_are_made_where_none_are_asked_for():
    there = plan(explorer={"clips": 0})
    assert not [file for file in there.explorer.inputs() if "explorer_media" in file]


def test_all_asks_for_it():
    assert f"{ROOT}/explorer" in plan().tables.targets()
