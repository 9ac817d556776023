"""Measurements: how long Fangpin takes for a piece of work, and how long a peer or the plain way takes for the same.

`python -m bench` runs them all; each module has a `measure()` that gives its rows. README.md says how to read them.
"""
