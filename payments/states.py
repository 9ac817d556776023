"""The states of a payable, a payment and a batch, up to the export of the bank file.

Pure. The bank's answers add their states with the issue that reads them.
"""

from __future__ import annotations

from collections.abc import Mapping

PAYABLE_MOVES: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"batched", "withheld"}),
    "withheld": frozenset({"pending"}),
    "batched": frozenset({"sent"}),
    "sent": frozenset(),
}
"""A payable 应付赔款: waiting for a batch, kept out with a reason, in a batch, in an exported bank file."""

PAYMENT_MOVES: Mapping[str, frozenset[str]] = {"batched": frozenset({"sent"}), "sent": frozenset()}
"""A payment, one attempt to pay a payable. After export only the bank's proof can free it."""

BATCH_MOVES: Mapping[str, frozenset[str]] = {
    "made": frozenset({"checked"}),
    "checked": frozenset({"released"}),
    "released": frozenset({"exported"}),
    "exported": frozenset(),
}
"""A batch: made 制单, checked 复核, released 授权, exported 导出."""
