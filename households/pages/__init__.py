"""Pages of the households, by subject."""
