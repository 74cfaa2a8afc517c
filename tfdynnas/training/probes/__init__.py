"""Probes: how small and large subnets fare during a training."""
