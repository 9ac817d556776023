"""The files that go to the bank, one module a format. Pure: the same lines give the same bytes."""
