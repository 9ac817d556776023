"""Every table and every guard of the project, gathered from the packages."""

from __future__ import annotations

import claims.models
import foundation.counters
import foundation.files
import foundation.jobs
import foundation.keyfile
import foundation.privacy.models
import foundation.staff.models
import foundation.trail.events
import foundation.trail.models
import foundation.upkeep
import foundation.web.models
import households.models
import payments.models
import policies.models
import reports.models
import webapp.models
from foundation.database import Base
from foundation.guards import Guard

METADATA = Base.metadata

GUARDS: list[Guard] = [
    *foundation.trail.models.GUARDS,
    *foundation.keyfile.GUARDS,
    *foundation.counters.GUARDS,
    *foundation.files.GUARDS,
    *foundation.upkeep.GUARDS,
    *foundation.privacy.models.GUARDS,
    *foundation.staff.models.GUARDS,
    *policies.models.GUARDS,
    *households.models.GUARDS,
    *claims.models.GUARDS,
    *payments.models.GUARDS,
    *reports.models.GUARDS,
    *webapp.models.GUARDS,
]
IMPORTED_FOR_THEIR_TABLES = (foundation.jobs, foundation.trail.events, foundation.web.models)
