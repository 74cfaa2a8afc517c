"""The supernet and the plain network of a cell space."""
