"""Records in the form of others: tables of patients in, observed outcomes beside predictions."""
