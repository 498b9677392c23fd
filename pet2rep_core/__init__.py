"""PET2Rep Review: see, generate, score and rate PET/CT reports. Research use only."""

__version__ = "0.1.0"
