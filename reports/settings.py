"""What reports take from the environment."""

from __future__ import annotations

import os


def complaint_phone() -> str:
    """The office's phone on a village notice: FANGPIN_COMPLAINT_PHONE, else the national hotline 12317."""
    return os.environ.get("FANGPIN_COMPLAINT_PHONE") or "12317"
