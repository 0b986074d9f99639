"""Virtual patients: what twins of one patient and populations of a trial have in common."""
