"""The deterministic core in solvers written by others, one file each, and in the kernel."""
