"""Disturbing real runs at random moments: what is left is whole, and the next run mends it."""
