"""What a model is asked: prompts and templates as files, rendered for one request."""
