"""The network of the perceptual loss: published, or a narrow one trained here."""
