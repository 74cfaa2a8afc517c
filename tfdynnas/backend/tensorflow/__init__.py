"""What only TensorFlow does."""
