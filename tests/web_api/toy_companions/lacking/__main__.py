"""A companion whose requirements nobody has."""
