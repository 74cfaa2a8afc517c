"""N-shot neural architecture search in Keras 3: train a supernet, search it, serve the result."""

__version__ = "0.1.0"
