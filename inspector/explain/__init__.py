"""Say what it means: sentences with evidence, and findings with a remedy. Pure."""
