"""The supernet and the plain network of a layer space."""
