"""Fidelity and temporal consistency of super-resolved frames."""

QUALITY = "quality/2"
"""Format of a shard's csv: a line a clip."""
