"""What a decoded picture is: its look, the hash that stands for it, and the crops made of it.

Pillow and NumPy alone. May import `cache.limits`.
"""
