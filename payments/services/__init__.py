"""What can be done to money: recording what came in, owing, batching, and the export of the bank file, once."""
