"""The generated data sets: laid out as UCF101 is, in the world's own folder."""

from twinlens.media.sets.ucf101 import listing

__all__ = ["listing"]
