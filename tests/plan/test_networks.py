"""Which networks are imported or trained, and from what."""

import pytest

from tests.plan.worlds import Plan, merged, plan
from twinlens.errors import PlanError
from twinlens.settings import as_json

NETWORKS = "results/playground/networks"


def test_a_network_lies_by_family_and_origin():
    networks = plan().networks
    assert networks.sr_file("sosr") == [f"{NETWORKS}/sr/trained/sosr.h5"]
    assert networks.sr_file("starts/vdsr") == [f"{NETWORKS}/sr/trained/starts/vdsr.h5"]
    assert networks.sr_file("bicubic") == []
    assert networks.flow_network("flownet2") == [f"{NETWORKS}/flow/trained/flownet2.h5"]
    assert networks.flow_network("tvl1") == []
    spatial = networks.recogniser_file("tsn", "yard", "spatial")
    assert spatial == f"{NETWORKS}/recogniser/trained/tsn-yard-spatial.h5"


def test_published_weights_are_imported_and_not_trained():
    there = plan(starts__vdsr__weights="vdsr.mat", data="/d")
    assert there.networks.sr_file("starts/vdsr") == [
        f"{NETWORKS}/sr/published/starts/vdsr.h5"
    ]
    published = there.networks.published("sr", "starts/vdsr")
    assert published.file == "/d/vdsr.mat"
    assert published.job.kind == "vdsr"
    assert published.job.network == "starts/vdsr"


def test_what_is_not_published_can_t_be_imported():
    with pytest.raises(PlanError, match="no published weights of sosr"):
        plan().networks.published("sr", "sosr")


def test_a_recogniser_s_published_networks_name_data_set_and_stream():
    networks = Plan.of(merged("paper.yaml")).networks
    published = networks.published("recogniser", "tsn-hmdb51-temporal")
    assert published.file.endswith(
        "hmdb51_split_1_tsn_flow_reference_bn_inception.caffemodel.v5"
    )
    job = published.job
    assert (job.dataset, job.stream, job.kind) == ("hmdb51", "temporal", "bn_inception")
    assert job.settings == {"channels": 10}
    classes = networks.published_classes("recogniser", "tsn-hmdb51-temporal")
    assert classes == ["results/paper/manifest/hmdb51/classes.csv"]


def test_an_image_network_is_shared_by_data_sets_and_has_no_classes():
    networks = plan(recognisers__tsn__init="images.pth").networks
    image = networks.recogniser_starts("tsn", "yard", "spatial")
    assert image == networks.recogniser_starts("tsn", "workshop", "temporal")
    assert image == [f"{NETWORKS}/recogniser/published/tsn-images.h5"]
    assert networks.published("recogniser", "tsn-images").job.dataset == "still images"
    assert networks.published_classes("recogniser", "tsn-images") == []


def test_a_data_set_may_change_a_recogniser_s_training():
    networks = Plan.of(merged("paper.yaml")).networks
    shared = networks.recogniser_job("tsn", "ucf101", "spatial").recipe
    own = networks.recogniser_job("tsn", "hmdb51", "spatial").recipe
    assert (shared.steps, own.steps) == (3500, 2500)
    assert (shared.lr, own.lr) == (0.001, 0.001)


def test_views_of_test_images_are_no_matter_of_training():
    def jobs(**changes):
        there = plan(**changes)
        return (
            as_json(there.networks.recogniser_job("tsn", "yard", "spatial")),
            as_json(there.scores.job("tsn", "yard", "hr", "test")),
        )

    training, scoring = jobs()
    assert jobs(recognisers__tsn__views__crops=5)[0] == training
    assert jobs(recognisers__tsn__views__crops=5)[1] != scoring
    assert jobs(recognisers__tsn__views__scales=[1.0])[0] != training
    assert jobs(recognisers__tsn__views__scales=[1.0])[1] == scoring


def test_only_the_loss_that_needs_it_depends_on_the_perceptual_network():
    networks = plan().networks
    assert networks.perceptual_file("sosr") == [f"{NETWORKS}/perceptual/trained/vgg.h5"]
    assert networks.perceptual_file("sosr_wmse") == []
    before = plan(training__perceptual__after_relu=False).networks
    assert before.sr_training("sosr_wmse") == networks.sr_training("sosr_wmse")
    assert before.sr_training("sosr") != networks.sr_training("sosr")


def test_patches_are_cut_from_the_corpus_and_its_motion():
    networks = plan().networks
    assert networks.patch_frames("spatial", "00") == [
        "results/playground/frames/all/corpus/corpus-00.h5"
    ]
    motion = networks.patch_motion("spatial_other_flow", "00")
    assert motion == "results/playground/motion/corpus/flownet2-1/corpus-00.h5"
    job = networks.cutting("temporal")
    assert (job.dataset, job.flow, job.gap, job.settings.pair) == (
        "corpus",
        "tvl1",
        1,
        True,
    )


def test_training_reads_frames_or_their_flow():
    networks = plan().networks
    frames = networks.training_frames("tsn", "yard", "spatial")
    assert frames == ["results/playground/frames/tsn/yard/train-00.h5"]
    assert networks.training_flow("tsn", "yard", "spatial") == []
    flow = networks.training_flow("tsn", "yard", "temporal")
    assert flow == ["results/playground/flow/tsn/yard/hr/train-00.h5"]


def test_the_error_of_every_estimator_that_is_used_is_measured():
    job = plan().networks.flow_error_job()
    assert list(job.estimators) == [
        "FlowNet2",
        "TV-L1",
    ]


# --- what jobs ask for ----------------------------------------------------------------


def test_a_training_asks_for_the_processors_of_all_its_processes():
    def cpus(**resources):
        return plan(resources=resources).training_cpus

    assert cpus() == 1
    assert cpus(threads=4, workers=3) == 7
    assert cpus(threads=2, workers=1, gpus=4) == 12


def test_estimators_take_a_gpu_where_there_are_some():
    changes = {"flows__slow": {"kind": "dis", "label": "DIS", "preset": "medium"}}
    changes["flows__here"] = {"kind": "tvl1", "label": "here", "device": "cpu"}
    gpus = plan(resources__gpus=2, **changes)
    none = plan(**changes)
    wanted = {"flownet2": 1, "tvl1": 1, "here": 0, "slow": 0}
    assert {name: gpus.flow_gpu(name) for name in wanted} == wanted
    assert not any(none.flow_gpu(name) for name in wanted)
