"""Two-stream oriented video super-resolution for action recognition, table by table."""

__version__ = "0.1.0"
