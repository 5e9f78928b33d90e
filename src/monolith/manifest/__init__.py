"""What the YAML means: reading, models, checks."""
