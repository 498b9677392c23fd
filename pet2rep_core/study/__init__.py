"""The reader study: what readers are asked."""
