"""The training loop: resumable, logged, the same on every backend."""
