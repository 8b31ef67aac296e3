"""Small trainings for the tests of this room."""

from tests.patches.clips import patch_set
from twinlens import checkpoints, provenance
from twinlens.artifacts import reader
from twinlens.losses import vgg
from twinlens.patches.settings import Split
from twinlens.training import networks
from twinlens.training.recipe import Loss, Recipe
from twinlens.training.train import train_network

SETTINGS = {
    "vdsr": {"width": 4, "depth": 3},
    "duf": {"depth": 12, "width": 4, "growth": 2, "head": 4, "share": 0.1},
    "spmc": {"motion": 4, "width": 2},
    "rrn": {"width": 4, "blocks": 1},
    "rrdb": {"width": 4, "blocks": 1, "growth": 2},
}
SPLIT = Split(share=0.25)


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
    about = provenance.about(
        "made", [], {}, widths=[2, 3, 4], pictures="caffe", trained=True
    )
    path = folder / "vgg.h5"
    networks.save(path, vgg.PERCEPTUAL, about, vgg.Vgg((2, 3, 4)))
    return path


def train(folder, kind="mse", shard=None, name="net", how=None, **options):
    """Train; the state that was published."""
    folder.mkdir(parents=True, exist_ok=True)
    shard = shard or patches(folder, kind)
    if kind == "sosr":
        options["perceptual"] = perceptual(folder)
    files = [folder / f"{name}.{ending}" for ending in ("h5", "csv", "png")]
    model = options.pop("model", "vdsr")
    settings = options.pop("settings", SETTINGS[model])
    train_network(
        name,
        [shard],
        model,
        how or recipe(kind),
        SPLIT,
        *files,
        settings=settings,
        **options,
    )
    return state(files[0])


def state(path):
    with reader.open(path, networks.NETWORK) as file:
        return checkpoints.load_state(file["state"])
