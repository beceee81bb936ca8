"""Stage 1: pictures -> vectors."""
