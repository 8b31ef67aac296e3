"""Train and score ST-ResNet's networks."""
