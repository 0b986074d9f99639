"""The disease and treatment model: one biological process per file, plain scalar functions."""
