"""Payables, batches, bank files and the ledger: each determined yuan leaves once.

Decides no claim; pays what was determined, to the payee that the decision froze.
"""
