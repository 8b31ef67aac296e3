"""Train and score TSN's streams."""
