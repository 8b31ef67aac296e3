"""Two-stream recognisers, trained on original videos and scored on any."""

SCORES = "scores/2"
"""Format of a shard of scores: HDF5, float32 (n, classes) by clip and head."""
