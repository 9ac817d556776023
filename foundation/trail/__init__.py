"""The trail: events, written with the change that they record, sealed in linked Merkle blocks, proved and verified."""
