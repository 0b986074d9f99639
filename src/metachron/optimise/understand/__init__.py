"""Why one strategy comes out before another: heat map, sensitivity, counterfactuals, value of information."""
