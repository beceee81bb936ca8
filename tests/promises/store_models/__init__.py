"""Plain Python models of the tables, which hypothesis drives beside the tables themselves."""
