"""What can be done to sign-ins, sessions, tokens and counts of access. Services flush; the edge commits."""
