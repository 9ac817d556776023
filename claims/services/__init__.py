"""What can be done to claims: taking in a pack, and determining what it decided."""
