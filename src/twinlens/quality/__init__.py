"""How close to the original super-resolved frames are: fidelity and steadiness."""

QUALITY = "quality/2"
"""Format of a shard's csv: a line a clip."""
