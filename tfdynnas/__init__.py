"""N-shot neural architecture search in Keras 3: train one supernet, search it, serve what was found."""

__version__ = "0.1.0"
