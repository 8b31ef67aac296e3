"""Published weights, through the workflow's rules and through the command line.

Every file is written here in its published layout, from a network whose weights are
known; the artifact must hold the very same numbers.
"""

import json

import pandas as pd
import pytest
import torch
import yaml

from tests.recognition import test_backbones as inception
from tests.workflow.checkout import TINY, copy, snakemake
from tests.workflow.published import (
    FLOWNET2,
    MEAN,
    SIZES,
    SR,
    ST_RESNET,
    TSN,
    VGG,
    inception_mmaction,
    known,
)
from twinlens import cli, models
from twinlens.artifacts import reader
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.flow.flownet2.cascade import FlowNet2
from twinlens.inspect.report import inspect
from twinlens.networks import state as states
from twinlens.perceptual import vgg
from twinlens.recognition import backbones
from twinlens.recognition.backbones import resnet
from twinlens.recognition.two_stream import st_resnet

pytestmark = pytest.mark.slow
CLASSES = 2


ST_SIZE = {"classes": CLASSES, "width": 4, "blocks": [2, 2, 2, 2]}


def st_network(name):
    """The network in a file."""
    if name == "appearance.mat":
        return known(resnet.build(channels=3, **ST_SIZE))
    return known(st_resnet.build(stack=2, pool=name != "stage1.mat", **ST_SIZE))


def sr_network(name):
    model = name.partition(".")[0]
    return known(models.build(model, **SIZES[model]))


def tsn_network(channels=3):
    return known(
        backbones.build("bn_inception", channels=channels, classes=CLASSES), channels
    )


def same(path, network):
    """Whether an artifact holds a network's numbers, to the bit, and no others."""
    with reader.open(path) as file:
        stored = states.load(file["state"])
        about = file.about
    wanted = inception.floats(network)
    found = {key: stored[key] for key in stored if "num_batches" not in key}
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    return about


# --- the command line


def run_import(file, out, *words, **job):
    """Import through the command line."""
    words = ["--file", file, "--job", json.dumps(job), *words, "--out", out]
    cli.main(["import-network", "--plain", *map(str, words)])


@pytest.mark.parametrize("name", SR)
def test_a_super_resolution_file_is_imported_to_the_bit(tmp_path, name):
    network, file = sr_network(name), tmp_path / name
    SR[name](network, file)
    kind, out = name.partition(".")[0], tmp_path / "out.h5"
    run_import(file, out, family="sr", kind=kind, network="mine", settings=SIZES[kind])
    about = same(out, network)
    assert about["network"] == "mine"
    assert about["inputs"] == {str(file): reader.file_id(file)}


@pytest.mark.parametrize("name", VGG)
def test_a_vgg_file_is_imported_to_the_bit(tmp_path, name):
    network, file = known(vgg.Vgg()), tmp_path / name
    VGG[name](network, file)
    out = tmp_path / "out.h5"
    run_import(file, out, "--classes=", family="perceptual", kind="vgg", network="vgg")
    same(out, network)


@pytest.fixture(scope="module")
def whole_flownet2():
    return known(FlowNet2())


@pytest.mark.parametrize("name", ["flownet2.caffemodel", "flownet2.pth.tar"])
def test_a_flownet2_file_is_imported_to_the_bit(tmp_path, name, whole_flownet2):
    file, out = tmp_path / name, tmp_path / "out.h5"
    FLOWNET2[name](whole_flownet2, file)
    run_import(file, out, family="flow", kind="flownet2", network="flownet2")
    same(out, whole_flownet2)
    file.unlink()
    out.unlink()


def classes_csv(folder):
    """The list of the data set's classes."""
    rows = pd.DataFrame({"label": range(CLASSES), "class": ["A", "B"]})
    write_csv(folder / "classes.csv", "classes/1", rows)
    return folder / "classes.csv"


@pytest.mark.parametrize("name", TSN)
def test_a_recogniser_s_file_is_imported_to_the_bit(tmp_path, name):
    network, file = tsn_network(), tmp_path / name
    TSN[name](network, file)
    classes = classes_csv(tmp_path)
    job = {"family": "recogniser", "kind": "bn_inception", "network": "tsn-yard-rgb"}
    job |= {"settings": {"channels": 3}, "dataset": "yard", "stream": "spatial"}
    out = tmp_path / "out.h5"
    run_import(file, out, "--classes", classes, **job)
    same(out, network)


@pytest.mark.parametrize("name", ST_RESNET)
def test_st_resnet_s_file_is_imported_to_the_bit(tmp_path, name):
    network = st_network(name)
    ST_RESNET[name](network, tmp_path / name)
    classes = classes_csv(tmp_path)
    family, kind = ("two_stream", "st_resnet")
    if name == "appearance.mat":
        family, kind = ("recogniser", "resnet")
    job = {"family": family, "kind": kind, "network": "st", "dataset": "yard"}
    settings = {"pool": network.pool} if family == "two_stream" else {}
    run_import(
        tmp_path / name,
        tmp_path / "st.h5",
        "--classes",
        classes,
        **job,
        settings=settings,
    )
    about = same(tmp_path / "st.h5", network)
    assert about["settings"]["mean"] == MEAN


def test_an_artifact_is_no_published_file(tmp_path, capsys):
    network = sr_network("vdsr.pth")
    SR["vdsr.pth"](network, tmp_path / "vdsr.pth")
    job = {"family": "sr", "kind": "vdsr", "network": "v", "settings": SIZES["vdsr"]}
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    run_import(tmp_path / "vdsr.pth", first, **job)
    with pytest.raises(SystemExit, match=r"first\.h5: is a twinlens artifact \(netw"):
        run_import(first, second, **job)
    assert first.exists()


# --- the rules

WORLD = """
world: imports
starts: {{}}
select:
  methods: [bicubic, hr]
  table1: null
  table2: null
  table2_flow: null
methods:
{methods}
training: {{perceptual: {{weights: {folder}/{vgg}}}}}
flows: {{flownet2: {{weights: {flownet2}, width: 1}}}}
recognisers:
  tsn:
    backbone: bn_inception
    init: {folder}/images.pth
    weights:
      yard: {{spatial: {folder}/tsn.caffemodel, temporal: {folder}/tsn.pth}}
  st_resnet:
    weights:
      yard: {{stage2: {folder}/stage2_v73.mat}}
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory, whole_flownet2):
    """A folder of published files, with the networks that they hold."""
    folder = tmp_path_factory.mktemp("published")
    networks = {name: sr_network(name) for name in SR}
    networks |= {name: known(vgg.Vgg()) for name in VGG}
    networks |= {"tsn.caffemodel": tsn_network(3), "tsn.pth": tsn_network(10)}
    networks |= {name: st_network(name) for name in ST_RESNET}
    for name, write in {**SR, **VGG, **TSN, **ST_RESNET}.items():
        write(networks[name], folder / name)
    images = tsn_network(3)
    inception_mmaction(images, folder / "images.pth")
    FLOWNET2["flownet2.caffemodel.h5"](
        whole_flownet2, folder / "flownet2.caffemodel.h5"
    )
    networks |= {"images.pth": images, "flownet2.caffemodel.h5": whole_flownet2}
    return folder, networks


def entry(name, folder):
    """A method of the config whose weights are a file."""
    model = name.partition(".")[0]
    own = {"label": name, "model": model, "settings": SIZES[model]}
    return yaml.safe_dump(
        {name.replace(".", "_"): own | {"weights": f"{folder}/{name}"}}
    )


def test_every_rule_imports_its_files_to_the_bit(tmp_path, published):
    folder, networks = published
    checkout = copy(tmp_path / "checkout")
    entries = "".join(entry(name, folder) for name in SR)
    methods = "".join(f"  {line}\n" for line in entries.splitlines())
    for kind, flow in (("vgg.caffemodel", True), ("vgg.pth", False)):
        overlay = WORLD.format(
            folder=folder,
            methods=methods,
            vgg=kind,
            flownet2=f"{folder}/flownet2.caffemodel.h5",
        )
        (checkout / "imports.yaml").write_text(overlay)
        results = {"perceptual/published/vgg": kind}
        if flow:
            results |= {"flow/published/flownet2": "flownet2.caffemodel.h5"}
            results |= {f"sr/published/{n.replace('.', '_')}": n for n in SR}
            results |= {"recogniser/published/tsn-images": "images.pth"}
            results |= {"recogniser/published/tsn-yard-spatial": "tsn.caffemodel"}
            results |= {"recogniser/published/tsn-yard-temporal": "tsn.pth"}
            results |= {"recogniser/published/st_resnet-yard-stage2": "stage2_v73.mat"}
        folder_of = checkout / "results/imports/networks"
        targets = [f"results/imports/networks/{path}.h5" for path in results]
        snakemake(checkout, *targets, *TINY, "imports.yaml")
        for path, name in results.items():
            about = same(folder_of / f"{path}.h5", networks[name])
            assert about["network"] == path.split("/")[-1]


def test_nobody_is_advised_to_remove_a_published_file(tmp_path, published):
    folder, _ = published
    checkout = copy(tmp_path / "checkout")
    (folder / "cut.h5").write_bytes((folder / "duf.h5").read_bytes()[:-500])
    own = {"label": "Cut", "model": "duf", "settings": SIZES["duf"]}
    own["weights"] = f"{folder}/cut.h5"
    (checkout / "cut.yaml").write_text(yaml.safe_dump({"methods": {"cut": own}}))
    target = "results/tiny/networks/sr/published/cut.h5"
    said = snakemake(checkout, target, *TINY, "cut.yaml", check=False)
    assert "cut.h5: not an HDF5 file, or cut short" in said
    assert "rm " not in said
    with pytest.raises(ArtifactError, match="another program, not a twinlens artifact"):
        inspect(folder / "duf.h5")
