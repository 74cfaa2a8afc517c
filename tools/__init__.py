"""The command line: a launcher per job, which parses and checks flags and calls one function."""
