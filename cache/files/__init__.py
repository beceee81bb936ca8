"""Files and folders that appear whole or not at all, and one run at a time in a folder.

May import `cache.refusal` and `cache.text`.
"""
