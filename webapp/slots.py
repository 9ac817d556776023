"""Fills the slots that lower packages leave open: a claim page shows payments and the trail without knowing them."""

from __future__ import annotations

from flask import Flask

import claims.household_slot
import claims.warning_slot
import payments.claim_slot
import payments.household_slot
import reports.certificate_pages
import reports.claim_form_pages
import reports.claim_slot
from webapp import trail_slot


def register(app: Flask) -> None:
    """Fills every slot of the application."""
    payments.claim_slot.register(app)
    reports.claim_slot.register(app)
    claims.warning_slot.register(app)
    claims.household_slot.register(app)
    payments.household_slot.register(app)
    reports.claim_form_pages.register(app)
    reports.certificate_pages.register(app)
    trail_slot.register(app)
