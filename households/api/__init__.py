"""The API of the households, one file a subject."""
