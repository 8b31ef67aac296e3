"""Low resolution, made and undone as MATLAB's `imresize(..., 'bicubic')` does."""

from twinlens.degrade.bicubic import downscale, upscale

__all__ = ["downscale", "upscale"]
