"""The files that go to the bank, one module a format. Pure: lines in, bytes out, and the same bytes every time."""
