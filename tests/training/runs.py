"""Small trainings for the tests of this room."""

from tests.patches.clips import patch_set
from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.networks import artifact
from twinlens.networks import state as states
from twinlens.patches.settings import Split
from twinlens.perceptual import vgg
from twinlens.training.recipe import Loss, Recipe, SrTraining
from twinlens.training.train import train_network

SETTINGS = {
    "vdsr": {"width": 4, "depth": 3},
    "duf": {"depth": 12, "width": 4, "growth": 2, "head": 4, "share": 0.1},
    "spmc": {"motion": 4, "width": 2},
    "rrn": {"width": 4, "blocks": 1},
    "rrdb": {"width": 4, "blocks": 1, "growth": 2},
}
SPLIT = Split(share=0.25)
JOB = {"how", "model", "settings"}


def recipe(kind="mse", steps=8, **changes):
    loss = {"kind": kind, **changes.pop("loss", {})}
    fields = {"patches": "made", "lr": 1e-3, "batch": 4, "validations": 2}
    return Recipe(**{**fields, "steps": steps, "loss": Loss(**loss), **changes})


def patches(folder, kind="mse"):
    pair = kind == "tosr"
    return patch_set(folder, pair=pair, window=7)[0]


def perceptual(folder):
    """A narrow perceptual network with fixed random weights."""
    import torch

    torch.manual_seed(1)
    settings = {"widths": [2, 3, 4]}
    about = provenance.about(
        "train-vgg",
        [],
        {},
        family="perceptual",
        network="vgg",
        kind="vgg",
        settings=settings,
        trained=True,
    )
    path = folder / "vgg.h5"
    artifact.save(path, about, vgg.build(**settings).state_dict())
    return path


def job(kind="mse", name="net", how=None, model="vdsr", settings=None, **changes):
    """A training's settings."""
    return SrTraining(
        network=name,
        model=model,
        recipe=how or recipe(kind),
        split=SPLIT,
        settings=settings or SETTINGS[model],
        **changes,
    )


def train(folder, kind="mse", shard=None, name="net", start_name=None, **options):
    """Train; the state that was published."""
    folder.mkdir(parents=True, exist_ok=True)
    shard = shard or patches(folder, kind)
    if kind == "sosr":
        options["perceptual"] = perceptual(folder)
    files = [folder / f"{name}.{ending}" for ending in ("h5", "csv", "png")]
    settings = {key: options.pop(key) for key in JOB & options.keys()}
    what = job(kind, name, start=start_name, **settings)
    train_network([shard], what, *files, **options)
    return state(files[0])


def state(path):
    with reader.open(path, artifact.NETWORK) as file:
        return states.load(file["state"])
