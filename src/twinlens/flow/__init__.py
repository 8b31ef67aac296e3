"""Optical flow."""

from twinlens.flow.tvl1 import tvl1

__all__ = ["tvl1"]
