"""Files that appear whole or not at all, and readers that say what is wrong."""
