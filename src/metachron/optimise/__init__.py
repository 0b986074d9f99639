"""Timing and sequence: which order, which intervals, how many cycles, and when it does not matter."""
