"""Errors of claims."""

from __future__ import annotations

from foundation.errors import ConflictError


class HouseholdMoved(ConflictError):
    """Another determination of the same household came first; nothing was changed, and the claim is decided anew."""

    code = "household_moved"

    def __init__(self, household_no: str) -> None:
        super().__init__(
            f"户 {household_no} 刚有另一笔核定,请刷新后重新核对金额",
            f"household {household_no} has just had another determination; look at the amount again",
        )
