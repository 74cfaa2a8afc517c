"""The command line: one launcher per job, each of which parses, checks and calls one function."""
