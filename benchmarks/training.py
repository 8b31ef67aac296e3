"""Time our training loop beside the same steps on patches that lie in memory.

    python benchmarks/training.py --rounds 3 --steps 40

Both train the same VDSR with the same loss, rate and batches, in one process, taking
turns: ours reads patches from HDF5, logs, looks at held-out patches and ends with a
checkpoint (it keeps one each minute, too); the peer is a bare loop over tensors. The
last line is one JSON object.
"""

import argparse
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.patches.clips import corpus, moving  # noqa: E402
from twinlens import models  # noqa: E402
from twinlens.networks import schedule, trainer  # noqa: E402
from twinlens.patches.reader import Patches  # noqa: E402
from twinlens.patches.settings import Cutting, PatchSettings, Split  # noqa: E402
from twinlens.patches.stage import patches  # noqa: E402
from twinlens.training import objectives  # noqa: E402
from twinlens.training.recipe import Loss, Recipe, SrTraining  # noqa: E402
from twinlens.training.trainer import Inputs, SrTrainer, groups  # noqa: E402

SPLIT = Split(share=0.1)


def make_patches(folder: Path, size: int, pair: bool) -> Path:
    """A set of a few hundred patches, cut from made-up clips."""
    side = size + 64
    made = (moving(seed, total=30, height=side, width=side + 32) for seed in range(10))
    videos, flows = zip(*made, strict=True)
    frames, motion = corpus(folder, videos, flows, index=range(5, 17))
    how = PatchSettings(size=size, crops=4, stride=(16, 16), margin=4, pair=pair)
    job = Cutting(
        patches="made", dataset="made", flow="tvl1", gap=1, settings=how, seed=0
    )
    patches(frames, motion, job, folder / "patches.h5", folder / "counts.csv")
    return folder / "patches.h5"


def ours(folder: Path, path: Path, recipe: Recipe, network: dict[str, int]) -> float:
    """Patches a second of our whole loop: log, and a look at held-out patches."""
    job = SrTraining(
        network="ours", model="vdsr", settings=network, recipe=recipe, split=SPLIT
    )
    run = trainer.Run(
        name="ours",
        about={"id": "0" * 32},
        out=folder / "ours.h5",
        seed=0,
        threads=torch.get_num_threads(),
    )
    run.checkpoint.unlink(missing_ok=True)
    make = partial(SrTrainer, job=job, inputs=Inputs(patches=[path]))
    begun = time.perf_counter()
    trainer.train(make, run)
    return recipe.steps * recipe.batch / (time.perf_counter() - begun)


def peer(path: Path, recipe: Recipe, network: dict[str, int]) -> float:
    """Patches a second of a bare loop over tensors that are read before."""
    torch.manual_seed(0)
    made = models.build("vdsr", **network)
    wanted = [*recipe.loss.wanted, "interpolated"]
    read = Patches([path], "made", SPLIT, 0, validation=False, wanted=wanted)
    stored = [read[place] for place in range(len(read))]
    tensors = {
        key: torch.stack([torch.from_numpy(each[key]) for each in stored])
        for key in wanted
    }
    objective = objectives.Objective(recipe.loss)
    optimizer = torch.optim.Adam(groups(made, recipe), recipe.lr)
    begun = time.perf_counter()
    for step in range(recipe.steps):
        places = [
            place for _, place in schedule.batch_items(step, recipe.batch, len(read), 0)
        ]
        batch = {key: each[places] for key, each in tensors.items()}
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate(step) * group["times"]
        loss = objective.total(
            objective.parts(objectives.output_frames(made, batch), batch)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return recipe.steps * recipe.batch / (time.perf_counter() - begun)


def main() -> None:
    """Measure, print as it goes, and end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="medians are over these")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=48, help="side of a patch")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--depth", type=int, default=8)
    parser.add_argument("--loss", choices=["mse", "wmse", "tosr"], default="mse")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = Recipe(
        patches="made",
        loss=Loss(kind=options.loss),
        steps=options.steps,
        lr=1e-3,
        batch=options.batch,
        validations=1,
        validation_patches=16,
    )
    network = {"width": options.width, "depth": options.depth}
    found: dict[str, list[float]] = {"ours": [], "peer": []}
    with tempfile.TemporaryDirectory() as name:
        path = make_patches(Path(name), options.size, pair=options.loss == "tosr")
        peer(path, recipe, network)  # warm
        for turn in range(options.rounds):
            found["ours"].append(ours(Path(name), path, recipe, network))
            found["peer"].append(peer(path, recipe, network))
            rates = {key: round(each[turn], 1) for key, each in found.items()}
            print(f"round {turn}: {rates} patches/s")
    ratios = [a / b for a, b in zip(found["ours"], found["peer"], strict=True)]
    summary = {
        "name": "training",
        "ours": round(median(found["ours"]), 1),
        "peer": round(median(found["peer"]), 1),
        "unit": f"patches of {options.size} px per second, {options.threads} thread",
        "ratio": round(median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "settings": vars(options),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
