"""The command of the toy."""
