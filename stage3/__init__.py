"""Stage 3: a folder of pictures -> scores, sorted into bins."""
