"""Join the shards' reports to one manifest, and stop if too much was rejected."""

from pathlib import Path

import pandas as pd

from twinlens.artifacts.table import read_csv, write_csv
from twinlens.errors import ArtifactError
from twinlens.media import sets
from twinlens.media.cautions import lines_of_caution
from twinlens.media.ends import UNKNOWN
from twinlens.media.settings import Listing
from twinlens.progress import say


def manifest(
    reports: list[Path],
    job: Listing,
    out: Path,
    missing: Path,
    rejected: Path,
    cautions: Path,
) -> None:
    """Write a data set's manifest.

    Args:
        reports: csv from `frames`, one a shard.
        job: which data set, and how much of it may be rejected.
        out: csv of all clips with part, shard, length, size, fps and sha1.
        missing: csv of listed files that are not there.
        rejected: csv of the clips that can't be used, with the reason.
        cautions: csv of what makes the data set's numbers mean less than they seem;
            tables print it.

    Raises:
        ArtifactError: more were rejected, no test clip is left, or there is one class.
    """
    listed = sets.listing(job.source)
    if len(listed.classes) == 1:
        raise ArtifactError(
            f"{job.dataset}: {listed.classes[0]} is its one class, and every clip would"
            " be right: name two classes or more"
        )
    _warn(job, listed.warnings)
    write_csv(missing, "missing/1", pd.DataFrame({"file": listed.missing}))
    rows = pd.concat([_with_shard(path) for path in reports], ignore_index=True)
    bad = rows[rows["status"] == "rejected"]
    write_csv(rejected, "rejected/1", bad[["clip", "part", "path", "note"]])
    _summarise(job.dataset, rows, listed.missing)
    _refuse(bad, len(rows), job, reports[0].parent)
    lines = lines_of_caution(rows)
    _warn(job, lines)
    write_csv(cautions, "cautions/1", pd.DataFrame({"caution": lines}))
    write_csv(out, "manifest/1", rows)
    _check_classes(rows, job, listed)


def _warn(job: Listing, lines: list[str]) -> None:
    for line in lines:
        say(f"WARNING {job.dataset}: {line}")


def _refuse(bad: pd.DataFrame, clips: int, job: Listing, folder: Path) -> None:
    """Refuse a data set of which more can't be used than its config allows."""
    if len(bad) <= job.max_rejected * clips:
        return
    reasons = "\n".join(f"  {row.path}: {row.note}" for row in bad.itertuples())
    say(f"{job.dataset}: rejected clips:\n{reasons}")
    raise ArtifactError(
        f"{job.dataset}: {len(bad)} of {clips} clips can't be used (listed above, and"
        f" in {folder}), more than max_rejected {job.max_rejected:g} allows; replace"
        " these files, take them off the list, or raise"
        f" datasets.{job.dataset}.max_rejected in the config"
    )


def _check_classes(rows: pd.DataFrame, job: Listing, listed: sets.Listing) -> None:
    """Refuse a set without test clips; name the classes that have none of a part."""
    usable = rows[(rows["part"] == "test") & (rows["status"] == "ok")]
    if listed.classes and usable.empty:
        rejected = int((rows["status"] == "rejected").sum())
        raise ArtifactError(
            f"{job.dataset}: no test clip is left: {len(listed.missing)} listed files"
            f" are not there, {rejected} clips were rejected; check its videos and"
            " split"
        )
    read = (rows["part"] == "train") & (rows["status"] == "ok")
    trained = set(rows.loc[read, "class"])
    if trained and (untrained := sorted(set(usable["class"]) - trained)):
        names = ", ".join(untrained)
        line = f"no training clips of {names}, which are tested all the same: none of"
        _warn(job, [f"{line} their clips can be right"])
    untested = [name for name in listed.classes if name not in set(usable["class"])]
    if untested:
        say(
            f"{job.dataset}: accuracy is over the {len(listed.classes) - len(untested)}"
            f" classes with test clips; none for: {', '.join(untested)}"
        )


def _with_shard(path: Path) -> pd.DataFrame:
    rows = read_csv(path, "report/1")
    return rows.assign(shard=path.stem.rpartition("-")[2])


def _summarise(dataset: str, rows: pd.DataFrame, missing: list[str]) -> None:
    some = f" ({', '.join(missing[:2])}, ...)" if missing else ""
    counts = rows[rows["status"] == "ok"].groupby("part").size().to_dict()
    kept = ", ".join(f"{count} {part}" for part, count in counts.items())
    bad = int((rows["status"] == "rejected").sum())
    usable = rows[rows["status"] == "ok"]
    odd, unsaid = (usable["note"] != "").sum(), (usable["end"] == UNKNOWN).sum()
    ends = f", {unsaid} whose format does not say whether they are whole"
    say(
        f"{dataset}: {kept} clips; {bad} rejected, {len(missing)} listed but not there"
        f"{some}, {odd} with a note (errors that ffmpeg concealed, another number of"
        f" frames than stated){ends if unsaid else ''}"
    )
