"""Probes: what a training does to small and large subnets while it runs."""
