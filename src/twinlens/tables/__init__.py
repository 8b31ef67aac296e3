"""Tables of the paper, from stored scores."""
