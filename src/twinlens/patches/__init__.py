"""Patches of corpus videos to train super-resolution on (paper section 4.2)."""
