"""Figures. They need the extra `plots`."""
