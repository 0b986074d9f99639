"""Targets, simulation of trial arms, fit and validation."""
