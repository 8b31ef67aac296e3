"""Command line of this room."""

from twinlens.cli import room

room("perceptual")
