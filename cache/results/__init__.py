"""What stages 3 and 4 share: a stream of pictures scored, placed into bins, listed, shown on a page.

May import `cache.command_line`, the public caches and below.
"""
