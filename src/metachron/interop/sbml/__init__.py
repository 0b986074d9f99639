"""The deterministic core as an SBML file, so that simulators written by others can run it."""
