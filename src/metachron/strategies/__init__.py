"""What may be given, when, and to whom: the catalogue, the strategy language and the rules."""
