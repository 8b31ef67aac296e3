"""Training of super-resolution networks: one loop for every method."""
