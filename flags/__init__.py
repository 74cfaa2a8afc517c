"""Presets: absl flagfiles, one run each, for --flagfile=. Text only; this file installs them."""
