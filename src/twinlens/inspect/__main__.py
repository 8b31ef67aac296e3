"""Run this package's stages from the command line."""

from twinlens.cli import room

room("inspect")
