"""What writes a report: vision-language models, and the baselines that any model must beat."""
