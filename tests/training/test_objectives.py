import pytest
import torch

from twinlens import losses, models
from twinlens.errors import ArtifactError
from twinlens.perceptual.vgg import Vgg
from twinlens.training.objectives import (
    Objective,
    even_alpha,
    flat,
    input_of,
    output_frames,
)
from twinlens.training.recipe import Loss


@pytest.fixture
def batch():
    torch.manual_seed(0)

    def draw(*shape):
        return torch.randint(0, 256, shape, dtype=torch.uint8)

    return {
        "high": draw(3, 2, 16, 16, 3),
        "interpolated": draw(3, 2, 16, 16, 3),
        "low": draw(3, 2, 1, 4, 4, 3),
        "flow": torch.rand(3, 2, 16, 16, dtype=torch.float16),
    }


def test_first_frames_come_before_second_ones(batch):
    pictures = flat(batch["high"])
    assert pictures.shape == (6, 3, 16, 16)
    wanted = batch["high"][1, 1].movedim(-1, 0) / 255
    torch.testing.assert_close(pictures[3 + 1], wanted)


def test_low_frames_keep_their_window(batch):
    assert flat(batch["low"]).shape == (6, 1, 3, 4, 4)


def test_a_network_of_interpolations_gets_them(batch):
    network = models.build("vdsr", width=4, depth=2)
    assert input_of(network) == "interpolated"
    output = output_frames(network, batch)
    torch.testing.assert_close(output, network.refine(flat(batch["interpolated"])))


def test_another_network_gets_the_low_frames(batch):
    network = models.build("bicubic")
    assert input_of(network) == "low"
    rest = {key: each for key, each in batch.items() if key != "interpolated"}
    torch.testing.assert_close(
        output_frames(network, rest), network(flat(batch["low"]))
    )


def test_pictures_of_another_shape_are_refused(batch):
    class Gray(torch.nn.Module):
        frames = 1

        def forward(self, low):
            return low[:, 0, :1].repeat_interleave(4, 2).repeat_interleave(4, 3)

    why = r"Gray gives pictures of shape \(6, 1, 16, 16\), .* \(6, 3, 16, 16\)"
    with pytest.raises(ArtifactError, match=why):
        output_frames(Gray(), batch)


def test_luma_and_rgb_are_different_errors(batch):
    output, true = torch.rand(6, 3, 16, 16), flat(batch["high"])
    rgb = Objective(Loss(kind="mse", pixels="rgb")).parts(output, batch)["mse"]
    luma = Objective(Loss(kind="mse")).parts(output, batch)["mse"]
    torch.testing.assert_close(rgb, losses.mse(output, true))
    assert luma < rgb


def test_huber_is_named_as_it_is(batch):
    output = torch.rand(6, 3, 16, 16)
    parts = Objective(Loss(kind="mse", criterion="huber")).parts(output, batch)
    assert list(parts) == ["huber"]


def test_the_siamese_terms_take_both_frames(batch):
    objective = Objective(Loss(kind="tosr", terms=(0.5, 0.25, 2)))
    output = torch.rand(6, 3, 16, 16)
    parts = objective.parts(output, batch)
    total = 0.5 * parts["sr"] + 0.25 * parts["warp_sr"] + 2 * parts["warp_hr"]
    torch.testing.assert_close(objective.total(parts), total)


def test_a_term_of_weight_0_is_left_out():
    objective = Objective(Loss(kind="tosr", terms=(1, 0, 0)))
    parts = {"sr": torch.tensor(2.0), "warp_sr": torch.tensor(float("inf"))}
    assert objective.total({**parts, "warp_hr": torch.tensor(1.0)}) == 2


def test_sosr_without_its_network_is_refused():
    with pytest.raises(ValueError, match="needs the perceptual network"):
        Objective(Loss(kind="sosr"))


def test_an_alpha_that_was_not_measured_is_named():
    objective = Objective(Loss(kind="sosr"), Vgg((1, 1, 1)))
    with pytest.raises(ValueError, match="alpha is still to be measured"):
        objective.total({"wmse": torch.ones(()), "perceptual": torch.ones(())})


def test_even_alpha_makes_both_sides_equal():
    alpha = even_alpha(0.002, 40.0)
    assert (1 - alpha) * 0.002 == pytest.approx(alpha * 40.0)
