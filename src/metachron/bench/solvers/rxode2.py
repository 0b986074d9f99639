"""The deterministic core in rxode2, when R has it; the script is benchmarks/peers/rxode2.R."""

from __future__ import annotations

from functools import partial

from metachron.bench.solvers import r_packages

NAME = PACKAGE = "rxode2"
run = partial(r_packages.run, PACKAGE)
version = partial(r_packages.package_version, PACKAGE)
