"""Claims: taking them in, deciding them, recording who recommended and who determined.

There is one adjudication (`claims.adjudication`), and everything that decides calls it.
"""
