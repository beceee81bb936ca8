"""What a process of its own scores: prints a digest of the scores on one BLAS thread, and of those on two.

    OPENBLAS_CORETYPE=Nehalem python -m tests.cache.models.scores_of_a_process MODELS

MODELS: a pickle of a ModelSet and of vectors.
"""
import pickle
import sys
from hashlib import sha256

import numpy as np
from threadpoolctl import threadpool_limits

from cache.models.tag_scores import ModelSet


def digest(models: ModelSet, vectors: np.ndarray) -> str:
    return sha256(models.score(vectors).tobytes()).hexdigest()


def main(path: str) -> None:
    with open(path, "rb") as file:
        models, vectors = pickle.load(file)
    for threads in (1, 2):
        with threadpool_limits(threads, "blas"):
            print(digest(models, vectors))


if __name__ == "__main__":
    main(sys.argv[1])
