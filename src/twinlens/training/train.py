"""Train a super-resolution network by its recipe, and publish the result."""

from functools import partial
from pathlib import Path

from twinlens.artifacts import reader
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.networks import artifact, trainer
from twinlens.networks.trainer import Run
from twinlens.progress import say
from twinlens.training.curve import draw_curve
from twinlens.training.recipe import SrTraining
from twinlens.training.trainer import Inputs, SrTrainer


def train_network(
    patches: list[Path],
    job: SrTraining,
    out: Path,
    log: Path,
    curve: Path,
    start: Path | None = None,
    perceptual: Path | None = None,
    threads: int = 1,
    devices: int = 1,
    workers: int = 0,
) -> None:
    """Train a network by a recipe.

    Args:
        patches: HDF5 "patches/1".
        job: what to train and how.
        out: HDF5 "network/1".
        log: csv with step, rate, loss, its unweighted parts, and PSNR of held-out
            patches where they were looked at.
        curve: PNG of the same.
        start: HDF5 "network/1" of the network that the job starts from.
        perceptual: HDF5 "network/1", for the loss "sosr".
        threads: CPU threads of torch; other numbers give other last digits.
        devices: GPUs (or CPU processes) that share a batch, which must divide by them.
        workers: processes that read patches ahead; 0 reads between the steps.

    Raises:
        ArtifactError: an input is missing or not whole, or no patch is left.
    """
    _check(job, devices, start, perceptual)
    about = artifact.about(
        "train-sr",
        ["twinlens.training.train"],
        reader.ids(*patches, *[each for each in (start, perceptual) if each]),
        job,
        family="sr",
        network=job.network,
        kind=job.model,
        settings=job.settings,
        threads=threads,
        devices=devices,
    )
    run = Run(
        name=job.network,
        about=about,
        out=out,
        seed=job.seed,
        threads=threads,
        devices=devices,
        precision=job.recipe.precision,
        parts_unused=job.recipe.loss.kind == "own",
    )
    inputs = Inputs(
        patches=patches, start=start, perceptual=perceptual, workers=workers
    )
    with trainer.trained(partial(SrTrainer, job=job, inputs=inputs), run) as result:
        _publish(result, job, run, log, curve)


def _check(
    job: SrTraining, devices: int, start: Path | None, perceptual: Path | None
) -> None:
    """Refuse a job that lacks an input, or can't be shared by the devices."""
    recipe = job.recipe
    if recipe.batch % devices:
        raise ArtifactError(
            f"a batch of {recipe.batch} can't be shared evenly by {devices} devices"
        )
    if recipe.loss.kind == "sosr" and perceptual is None:
        raise ArtifactError(f"{job.network}: loss sosr needs --perceptual")
    if job.start is not None and start is None:
        raise ArtifactError(f"{job.network}: its start {job.start} needs --start")


def _publish(
    result: trainer.Result, job: SrTraining, run: Run, log: Path, curve: Path
) -> None:
    """Write the log, its curve and the network, and say how it went."""
    bicubic, last = result.facts["bicubic_psnr"], float(result.log["psnr"].iloc[-1])
    write_csv(log, "training/1", result.log)
    draw_curve(result.log, bicubic, f"{job.network}: {job.recipe.loss.kind}", curve)
    _warn(job, last, bicubic)
    artifact.save(run.out, {**run.about, "psnr": last, **result.facts}, result.state)


def _warn(job: SrTraining, psnr: float, bicubic: float) -> None:
    """Warn where MSE did not even beat bicubic."""
    kind = job.recipe.loss.kind
    if kind in ("mse", "own") and not psnr > bicubic:
        what = "MSE" if kind == "mse" else "its own loss"
        say(
            f"WARNING {job.network}: trained with {what}, yet its PSNR on held-out"
            f" clips, {psnr:.2f} dB, is not above bicubic's {bicubic:.2f} dB: its"
            " rows mean little; train longer, or on more and other videos"
        )
