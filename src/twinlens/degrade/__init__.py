"""Low resolution from original frames."""
