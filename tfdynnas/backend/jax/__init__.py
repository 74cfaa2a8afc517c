"""What only JAX does."""
