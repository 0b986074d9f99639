"""Model parameters: value, unit, spread and source of each, and draws from their joint prior."""

from metachron.parameters.draws import draw_parameters
from metachron.parameters.load import Parameter, load_parameters

__all__ = ["Parameter", "draw_parameters", "load_parameters"]
