"""Stage 4: ZIPs of pictures -> scores, sorted into bins."""
