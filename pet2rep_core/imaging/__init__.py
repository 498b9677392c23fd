"""Volumes, SUV, resampling, slices, fusion: arrays in, arrays out."""
