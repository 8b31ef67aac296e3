"""Measure super-resolved frames: fidelity and temporal consistency."""

QUALITY = "quality/2"
"""Format of a shard's csv: a line a clip."""
