"""What one can ask a matrix of vectors: which rows are alike, which are nearest. NumPy only.

May import nothing of ours.
"""
