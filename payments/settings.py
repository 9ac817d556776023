"""The account that pays, from the environment; the demo's stands where nothing is set."""

from __future__ import annotations

import os

from payments.services.export import PayingAccount


def paying_account() -> PayingAccount:
    """The paying account: FANGPIN_PAYER_NAME, FANGPIN_PAYER_ACCOUNT, FANGPIN_PAYER_BANK_CODE."""
    return PayingAccount(
        os.environ.get("FANGPIN_PAYER_NAME", "示例财产保险股份有限公司沂源支公司"),
        os.environ.get("FANGPIN_PAYER_ACCOUNT", "37050163860000001"),
        os.environ.get("FANGPIN_PAYER_BANK_CODE", "105100000017") or None,
    )
