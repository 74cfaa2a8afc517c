"""Searches that several processes share."""
