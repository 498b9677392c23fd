"""Speed and memory as ratios to the plain way, both measured in one run."""
