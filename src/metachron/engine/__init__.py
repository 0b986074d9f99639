"""The life of one patient under one strategy, in compiled code, and batches of such lives."""
