"""What is known of a run -> reports/: a page of plots and pictures, JSON, and the lines that are printed.

May import `stage2.run`, `stage2.judging` and below.
"""
