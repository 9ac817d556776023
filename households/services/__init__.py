"""What can be done to households, by subject."""
