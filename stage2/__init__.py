"""Stage 2: vectors and tags -> classifiers, judged and reported."""
