"""What only PyTorch does."""
