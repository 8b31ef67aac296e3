"""The facts behind an accuracy in a table: its source, what it rests on, its peer."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from twinlens import provenance
from twinlens.errors import ArtifactError
from twinlens.recognisers import CLASSES, CLIPS, VIEWS
from twinlens.tables import published
from twinlens.tables.accuracy import (
    Accuracy,
    Bools,
    Floats,
    Scores,
    accuracy,
    by_class,
    wilson,
)
from twinlens.tables.settings import Dataset, Layout

# Which clips are classified correctly, by class and method.
Correct = dict[str, dict[str, Bools]]
FUSION = "fusion"
Loaded = Mapping[tuple[str, str], Scores]


def cell_seed(seed: int, method: str, dataset: str, stream: str) -> int:
    """Seed of a cell's interval: the same in every table and figure that shows it."""
    return provenance.seed(seed, "bootstrap", method, dataset, stream.capitalize())


def cell(scores: Scores, stream: str, layout: Layout, seed: int) -> Accuracy:
    """Measure a stream's accuracy, or that of the "fusion", by its metric."""
    return accuracy(
        values(scores, stream, layout),
        scores.labels,
        seed,
        metric(layout, stream),
        scores.correct_views.get(stream),
    )


def values(scores: Scores, stream: str, layout: Layout) -> Floats:
    """The scores of a head, or of all heads by "fusion": (N, C)."""
    return scores.fused(layout.fusion) if stream == FUSION else scores.of(stream)


def metric(layout: Layout, stream: str) -> str:
    """What the accuracy of a stream counts."""
    return layout.metrics.get(stream, CLASSES)


def class_names(scores: Scores, known: Sequence[str] = ()) -> dict[int, str]:
    """Name the classes by label: all that are known, or those that have test clips."""
    pairs = zip(scores.labels.tolist(), scores.clips, strict=True)
    tested = {label: clip.partition("/")[0] for label, clip in pairs}
    return dict(enumerate(known)) | tested


def most_disputed(
    right: Mapping[str, Bools], scores: Scores, clips: Sequence[str], most: int
) -> list[str]:
    """Choose clips of each class on which methods agree least.

    Args:
        right: by method, (N,) whether it recognises each clip.
        scores: of any of them, for clips and labels.
        clips: to choose from.
        most: clips of a class.

    Returns:
        Clips that nearest to half of the methods recognise; among equals the first.
    """
    agreement = np.abs(np.mean(list(right.values()), axis=0) - 0.5)
    places = {name: place for place, name in enumerate(scores.clips)}
    chosen: list[str] = []
    taken: Counter[int] = Counter()
    for name in sorted(clips, key=lambda each: float(agreement[places[each]])):
        label = int(scores.labels[places[name]])
        if taken[label] < most:
            taken[label] += 1
            chosen.append(name)
    return chosen


def counted(layout: Layout, streams: Sequence[str]) -> str:
    """Say what the accuracies of some streams count, the "fusion" among them or not."""
    said = {CLASSES: "mean over classes", CLIPS: "of all clips", VIEWS: "of all views"}
    metrics = {stream: metric(layout, stream) for stream in streams}
    if set(metrics.values()) == {CLASSES}:
        return "mean class accuracy in %"
    parts = []
    for each in dict.fromkeys(metrics.values()):
        names = [stream for stream in streams if metrics[stream] == each]
        parts.append(f"{' and '.join(names)} {said[each]}")
    return f"accuracy in %: {', '.join(parts)}"


def of(loaded: Loaded, dataset: str, row: str) -> Scores:
    """Find the stored scores of a method, or of a pair of two, on a data set.

    Raises:
        ArtifactError: they are not among the inputs.
    """
    if (dataset, row) not in loaded:
        raise ArtifactError(f"no scores of {row} on {dataset} among the inputs")
    return loaded[dataset, row]


def single(loaded: Loaded, layout: Layout, dataset: str) -> dict[str, Scores]:
    """Find each method's scores by the table's head; HR may have none.

    Raises:
        ArtifactError: they are not among the inputs.
    """
    return {
        key: of(loaded, dataset, method.scores[layout.head])
        for key, method in layout.methods.items()
        if method.frames_of != "hr" or layout.datasets[dataset].has_hr
    }


def same_clips(dataset: str, *scores: Scores) -> None:
    """Check that methods can be compared clip by clip.

    Raises:
        ArtifactError: their scores are not of the same clips in the same order.
    """
    for each in scores:
        if each.clips != scores[0].clips:
            different = sorted({*each.clips} ^ {*scores[0].clips}) or ["their order"]
            raise ArtifactError(
                f"{dataset}: the scores of two methods are not of the same clips"
                f" ({len(different)} differ, such as {different[0]}): some shard of"
                " frames could not be read of them, as the csv files in its reports/"
                " say; raise its limits in the config, or take them off its list"
            )


def right_by_class(loaded: Loaded, layout: Layout, dataset: str) -> Correct:
    """Find the clips that every method classifies correctly, class by class.

    Raises:
        ArtifactError: scores are missing or not of the same clips.
    """
    scores = single(loaded, layout, dataset)
    same_clips(dataset, *scores.values())
    of_method = {key: by_class(each, layout.head) for key, each in scores.items()}
    names = next(iter(of_method.values()), {})
    return {
        name: {key: classes[name] for key, classes in of_method.items()}
        for name in names
    }


def class_line(correct_n: Bools) -> dict[str, object]:
    """Write a method's accuracy in a class, with all that it rests on."""
    correct, clips = int(correct_n.sum()), len(correct_n)
    low, high = wilson(correct, clips)
    return {
        "accuracy": percent(correct_n),
        "low": f"{low:.2f}",
        "high": f"{high:.2f}",
        "right": correct,
        "clips": clips,
    }


def percent(correct_n: Bools) -> str:
    """Format the share of correct clips, in percent with two digits."""
    return f"{100 * correct_n.mean():.2f}"


def accuracy_line(cell: Accuracy) -> dict[str, object]:
    """Write an accuracy for the long form, with all that it rests on."""
    return {
        "accuracy": f"{cell.value:.2f}",
        "low": f"{cell.low:.2f}",
        "high": f"{cell.high:.2f}",
        "overall": f"{cell.overall:.2f}",
        "right": cell.correct,
        "clips": cell.clips,
        "overall_low": f"{cell.overall_low:.2f}",
        "overall_high": f"{cell.overall_high:.2f}",
        "classes": cell.classes,
    }


def beside(value: float | None, dataset: Dataset, cell: Accuracy) -> str:
    """Format the paper's value, only where ours is of the same complete test split."""
    comparable = complete(dataset, cell.clips, cell.classes)
    return "" if value is None or not comparable else f"{value:.2f}"


def complete(dataset: Dataset, clips: int, classes: int) -> bool:
    """Whether so many clips of so many classes are all of an official test split."""
    whole = published.COMPLETE.get(dataset.paper or "") == (clips, classes)
    return dataset.official and whole


def sizes(dataset: Dataset, cells: Sequence[Accuracy]) -> list[str]:
    """Write a line on what a data set's accuracies rest on; none where it has none."""
    if not cells:
        return []
    half = max(_half(cell) for cell in cells)
    return [
        f"{dataset.label}: {cells[0].clips} test clips of {cells[0].classes} classes;"
        f" 95 % intervals reach ±{half:.1f} points or less"
    ]


def at_chance(
    dataset: Dataset, layout: Layout, stream: str, cell: Accuracy
) -> list[str]:
    """Write a line where even originals are recognised no better than by chance."""
    chance = 100 / cell.choices
    if cell.overall_low > chance:
        return []
    return [
        f"CAUTION {dataset.label}: {layout.recogniser} {stream} recognises"
        f" {cell.overall:.2f} % of the originals, where guessing gives {chance:.2f} %:"
        " that column says nothing about super-resolution"
    ]


def _half(cell: Accuracy) -> float:
    """Halve the wider interval: redrawing within all-correct classes says 0."""
    overall = cell.overall_high - cell.overall_low
    return max(cell.high - cell.low, overall) / 2
