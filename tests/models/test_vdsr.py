"""VDSR: its size, its colours, its published weights."""

import cv2
import numpy as np
import pytest
import scipy.io
import torch

from twinlens import colour, models, weights
from twinlens.models import vdsr
from twinlens.resample import downscale, upscale

FILES = (
    "VDSR_Official.mat",
    "VDSR_Adam.mat",
    "VDSR_Adam.caffemodel",
    "pytorch-vdsr_model_epoch_50.pth",
)


@pytest.fixture(scope="module")
def published(realdata):
    """Networks with the published weights, by file name."""

    def network(file):
        made = models.build("vdsr")
        found = weights.read(realdata / "weights/vdsr" / file)
        made.load_state_dict(vdsr.convert(found))
        return made.eval()

    return network


def _pictures(folder):
    for path in sorted(folder.glob("*.bmp")):
        picture = cv2.imread(str(path))[..., ::-1]
        height, width = (side // 4 * 4 for side in picture.shape[:2])
        yield np.ascontiguousarray(picture[:height, :width])


def _psnr_y(made, true):
    """dB of luma, both RGB (3, H, W) in 0..1, 4 pixels cut."""
    error = (colour.luma(*made) - colour.luma(*true))[4:-4, 4:-4]
    return -20 * np.log10(np.sqrt(np.square(error).mean()))


def _set5(network, folder):
    values = []
    for picture in _pictures(folder):
        low = torch.from_numpy(downscale(picture)).movedim(-1, 0)[None, None] / 255
        with torch.inference_mode():
            made = network(low.float())[0].numpy()
        values.append(_psnr_y(made, np.moveaxis(picture / 255, -1, 0)))
    return float(np.mean(values))


def test_it_has_the_published_number_of_parameters():
    network = models.build("vdsr")
    assert sum(each.numel() for each in network.parameters()) == 665_921
    weights_only = [p for name, p in network.named_parameters() if "weight" in name]
    assert sum(each.numel() for each in weights_only) == 664_704


@pytest.mark.slow
def test_official_weights_reach_the_published_psnr(published, realdata):
    made = _set5(published("VDSR_Official.mat"), realdata / "set5")
    assert made == pytest.approx(31.35, abs=0.02)


@pytest.mark.slow
def test_adam_s_weights_reach_their_published_psnr(published, realdata):
    made = _set5(published("VDSR_Adam.caffemodel"), realdata / "set5")
    assert made == pytest.approx(31.33, abs=0.02)


@pytest.mark.slow
def test_pytorch_vdsr_s_weights_reach_their_published_psnr(published, realdata):
    made = _set5(published("pytorch-vdsr_model_epoch_50.pth"), realdata / "set5")
    assert made == pytest.approx(31.45, abs=0.02)


def test_both_files_of_one_training_give_the_same_network(published):
    one, other = (published(f"VDSR_Adam.{kind}") for kind in ("mat", "caffemodel"))
    for key, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key


@pytest.mark.parametrize("file", FILES)
def test_every_published_file_fills_every_layer(published, file):
    state = published(file).state_dict()
    assert all(value.abs().sum() > 0 for key, value in state.items() if "weight" in key)


@pytest.fixture
def known():
    """A network with weights whose axes can't be mixed up, and its state."""
    torch.manual_seed(0)
    network = models.build("vdsr", width=5, depth=3)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    return network.state_dict()


def _as_read(known, axes):
    weights = [known[f"convs.{at}.weight"].numpy().transpose(axes) for at in range(3)]
    return weights, [known[f"convs.{at}.bias"].numpy() for at in range(3)]


def _assert_same(found, known):
    assert all(torch.equal(found[key], known[key]) for key in known)


def test_matlab_s_axes_are_row_column_in_out(known, tmp_path):
    made, biases = _as_read(known, (2, 3, 1, 0))
    cells = np.empty((2, 3), object)
    for at in range(3):
        cells[0, at], cells[1, at] = np.squeeze(made[at]), biases[at][:, None]
    cells[0, 0] = made[0]  # MATLAB drops trailing axes of one only
    model = {"weight": cells[:1], "bias": cells[1:]}
    scipy.io.savemat(tmp_path / "vdsr.mat", {"model": model})
    _assert_same(vdsr.convert(weights.read(tmp_path / "vdsr.mat")), known)


def test_caffe_s_axes_are_out_in_column_row(known):
    made, biases = _as_read(known, (0, 1, 3, 2))
    layers = {f"conv{at + 1}": [made[at], biases[at]] for at in range(3)}
    _assert_same(vdsr.convert(layers), known)


def test_pytorch_vdsr_s_axes_are_ours_and_its_biases_zero(known):
    found = vdsr.convert(
        {
            "input.weight": known["convs.0.weight"],
            "residual_layer.0.conv.weight": known["convs.1.weight"],
            "output.weight": known["convs.2.weight"],
        }
    )
    zeros = {key: each * 0 for key, each in known.items() if "bias" in key}
    _assert_same(found, {**known, **zeros})


def test_another_network_s_file_is_refused():
    with pytest.raises(ValueError, match="no VDSR in it, but fc"):
        vdsr.convert({"fc.weight": torch.zeros(1)})


def test_a_network_that_adds_nothing_is_bicubic():
    network = models.build("vdsr", width=4, depth=3)
    torch.nn.init.zeros_(network.convs[-1].weight)
    rng = np.random.default_rng(0)
    low = rng.random((6, 5, 3))
    made = network(torch.from_numpy(low).movedim(-1, 0)[None, None].float())
    np.testing.assert_allclose(
        made[0].movedim(0, -1).detach().numpy(), upscale(low), atol=1e-5
    )


def test_only_luma_changes():
    network = models.build("vdsr", width=8, depth=3)
    low = torch.rand(1, 1, 3, 6, 6)
    interpolated = models.build("vdsr", width=8, depth=3)
    torch.nn.init.zeros_(interpolated.convs[-1].weight)
    with torch.inference_mode():
        change = network(low) - interpolated(low)
        luma = colour.luma(*network(low)[0]) - colour.luma(*interpolated(low)[0])
        residual = network.residual(colour.luma(*interpolated(low).unbind(1))[:, None])
    torch.testing.assert_close(change[:, 0], change[:, 1])
    torch.testing.assert_close(change[:, 0], change[:, 2])
    torch.testing.assert_close(luma, residual[0, 0], atol=1e-5, rtol=1e-4)
