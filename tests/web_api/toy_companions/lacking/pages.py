"""A companion whose requirements nobody has."""
raise ImportError("what it needs is not there")
