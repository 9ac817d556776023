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

BATCH_STEPS = ("made", "checked", "released", "exported")
"""The way of a batch, in order."""

BATCH_STATE_NAMES: Mapping[str, tuple[str, str]] = {
    "made": ("已制单", "made"),
    "checked": ("已复核", "checked"),
    "released": ("已授权", "released"),
    "exported": ("已导出", "exported"),
}

PAYMENT_STATE_NAMES: Mapping[str, tuple[str, str]] = {
    "batched": ("已组批", "in a batch"),
    "sent": ("已发送银行", "sent to the bank"),
}

PAYABLE_STATE_NAMES: Mapping[str, tuple[str, str]] = {
    "pending": ("待组批", "waiting for a batch"),
    "withheld": ("暂缓付款", "withheld"),
    **PAYMENT_STATE_NAMES,
}
