"""Train a super-resolution network by its recipe, and publish what came of it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from twinlens import checkpoints, provenance
from twinlens.artifacts import reader, writer
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.patches.settings import Split
from twinlens.progress import say
from twinlens.training import loop, networks
from twinlens.training.curve import draw_curve
from twinlens.training.recipe import Recipe


def train_network(
    name: str,
    patches: list[Path],
    model: str,
    recipe: Recipe,
    split: Split,
    out: Path,
    log: Path,
    curve: Path,
    settings: dict[str, Any] | None = None,
    start: Path | None = None,
    start_name: str | None = None,
    perceptual: Path | None = None,
    after_relu: bool = True,
    seed: int = 0,
    threads: int = 1,
    devices: int = 1,
    workers: int = 0,
) -> None:
    """Train a network by a recipe.

    Args:
        name: the method or start that it is for.
        patches: HDF5 "patches/1".
        model: the network's file in `twinlens.models`.
        recipe: how to train.
        split: which patches are held out.
        out: HDF5 "network/1".
        log: csv with step, rate, loss, its unweighted parts, and PSNR of held-out
            patches where they were looked at.
        curve: PNG of the same.
        settings: arguments of the model's `build`.
        start: "network/1" to start from; random weights without.
        start_name: the name that it must have.
        perceptual: "perceptual/1", for the loss "sosr".
        after_relu: whether its conv3_3 is taken after the ReLU.
        seed: decides first weights, order and split.
        threads: CPU threads of torch; other numbers give other last digits.
        devices: GPUs (or CPU processes) that share a batch, which must divide by them.
        workers: processes that read patches ahead; 0 reads between the steps.

    Raises:
        ArtifactError: an input is not whole, or no patch is left.
    """
    settings = settings or {}
    given = [each for each in (start, perceptual) if each]
    about = provenance.about(
        "train-sr",
        ["twinlens.training.train", f"twinlens.models.{model}"],
        reader.ids(*patches, *given),
        network=name,
        model=model,
        settings=settings,
        recipe=asdict(recipe),
        split=asdict(split),
        after_relu=after_relu,
        seed=seed,
        threads=threads,
        devices=devices,
        trained=True,
    )
    if recipe.batch % devices:
        raise ArtifactError(
            f"a batch of {recipe.batch} can't be shared evenly by {devices} devices"
        )
    if recipe.loss.kind == "sosr" and perceptual is None:
        raise ArtifactError(f"{name}: loss sosr needs --perceptual")
    job = loop.Job(
        name=name,
        about=about,
        patches=patches,
        split=split,
        recipe=recipe,
        out=out,
        start=start,
        start_name=start_name,
        perceptual=perceptual,
        after_relu=after_relu,
        threads=threads,
        devices=devices,
        workers=workers,
    )
    found = loop.run(job)
    write_csv(log, "training/1", found.log)
    draw_curve(found.log, found.bicubic, f"{name}: {recipe.loss.kind}", curve)
    _tell(found, recipe, name)
    told = {"psnr": found.psnr, "bicubic_psnr": found.bicubic, "alpha": found.alpha}
    with writer.create(out, networks.NETWORK, {**about, **told}) as file:
        checkpoints.save_state(file.create_group("state"), found.state)
    checkpoints.path_beside(out, about["id"]).unlink(missing_ok=True)


def _tell(found: loop.Found, recipe: Recipe, name: str) -> None:
    """The end of a training in words; loud where MSE did not even beat bicubic."""
    if recipe.loss.kind in ("mse", "own") and not found.psnr > found.bicubic:
        told = "MSE" if recipe.loss.kind == "mse" else "its own loss"
        say(
            f"WARNING {name}: trained with {told}, yet its PSNR on held-out clips,"
            f" {found.psnr:.2f} dB, is not above bicubic's {found.bicubic:.2f} dB: its"
            " rows mean little; train longer, or on more and other videos"
        )
