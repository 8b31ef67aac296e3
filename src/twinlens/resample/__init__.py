"""Resampling as MATLAB's `imresize(..., 'bicubic')` does it, on arrays and tensors."""

from twinlens.resample.bicubic import downscale, upscale

__all__ = ["downscale", "upscale"]
