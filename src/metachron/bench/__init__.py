"""Measurements: lives a second, memory, compile time, cost, and other programs on the same core."""
