"""Data sets, splits and decoding: from video files to shards of frames."""
