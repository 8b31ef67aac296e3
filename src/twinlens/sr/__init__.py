"""Super-resolution of shards: only the frames that the recogniser will read."""
