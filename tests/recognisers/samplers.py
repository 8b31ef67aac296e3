"""Samplers of TSN, for tests of every room."""

from twinlens.recognisers import INPUTS, Reading, Sampler

SAMPLING = {"snippets": 3, "stack": 2, "segments": 2, "positions": 1}


def sampler(part="test", inputs=INPUTS, seed=0, **sampling):
    """A few frames and short stacks of each clip; `sampling` changes that."""
    return Sampler(
        kind="tsn",
        sampling={**SAMPLING, **sampling},
        part=part,
        inputs=tuple(inputs),
        seed=seed,
    )


def reading(*samplers, excluded=()):
    """The frames of these samplers, one by default."""
    return Reading(samplers=samplers or (sampler(),), excluded=tuple(excluded))


EVERY = Reading()
"""All frames."""
