"""Errors of payments."""

from __future__ import annotations

from foundation.errors import ConflictError
from foundation.money import Money


class FundsShort(ConflictError):
    """The money received does not cover the batch; nothing was released."""

    code = "funds_short"

    def __init__(self, available_fen: int, total_fen: int) -> None:
        available, total = Money(max(0, available_fen)).grouped, Money(total_fen).grouped
        super().__init__(
            f"可用资金 {available} 元,不足以支付本批 {total} 元;请先登记到账资金",
            f"funds of {available} yuan do not cover the batch of {total} yuan; record the money received first",
        )


class BatchChanged(ConflictError):
    """The lines of a batch are not those that were checked; it must not be paid."""

    code = "batch_changed"

    def __init__(self, number: int) -> None:
        super().__init__(
            f"批次 {number} 的明细与复核时不一致,禁止导出,请报告审计",
            f"the lines of batch {number} are not those that were checked: not exported; report it to the auditor",
        )
