"""The deterministic core in mrgsolve, when R has it; the script is benchmarks/peers/mrgsolve.R."""

from __future__ import annotations

from functools import partial

from metachron.bench.solvers import r_packages

NAME = PACKAGE = "mrgsolve"
run = partial(r_packages.run, PACKAGE)
version = partial(r_packages.package_version, PACKAGE)
