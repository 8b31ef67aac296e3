"""Two-stream recognisers: trained on originals, asked about everything else."""
