"""The county at a glance 县情总览: the figures of one's place, with charts and a table beside each."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, url_for

from foundation.actors import Actor
from foundation.clock import business_day
from foundation.places import COUNTY_DIGITS
from foundation.web.acting import acting, now, reading, sealer
from foundation.web.fields import IsoDate, StrictSchema
from foundation.web.language import _, pick
from foundation.web.requests import arguments
from households.departments import departments
from households.terms import CAUSES, INCOME_SOURCES
from webapp.dashboard_queries import Dashboard, dashboard
from webapp.dashboard_words import CHANNEL_NAMES, LINE_NAMES
from webapp.rights import may_open

blueprint = Blueprint("dashboard", __name__)


class DashboardArguments(StrictSchema):
    """The day whose cover and members are counted; left out, today."""

    on = IsoDate()


@blueprint.get("/dashboard")
def shown() -> str:
    """The figures of my place."""
    actor, at = acting(), now()
    day = arguments(DashboardArguments).get("on") or business_day(at)
    with reading() as session:
        found = dashboard(session, sealer(), actor.place, day, at)
    return render_template(
        "dashboard/dashboard.html",
        found=found,
        links={name: _link(actor, *asked) for name, asked in _FIGURES.items()},
        county=len(actor.place) == COUNTY_DIGITS,
        coverage=[(row.name, *_share(row.covered, row.people)) for row in found.places],
        total_coverage=_share(found.totals.covered, found.totals.people)[1],
        causes=[_bar(pick(*CAUSES[key]), count) for key, count in found.causes.items()],
        sources=[_bar(_source(key), count) for key, count in found.sources.items()],
        villages=_villages(found),
        bands=_bands(found),
        cases=[_bar(pick(*LINE_NAMES[line]), count) for line, count in found.cases.items()],
        late_bars=[_bar(pick(*departments()[key]), days) for key, (_feeds, days) in found.late.items()],
        late=[(pick(*departments()[key]), feeds, days) for key, (feeds, days) in found.late.items()],
        lags=[_bar(pick(*CHANNEL_NAMES[lag.channel]), lag.median) for lag in found.lags],
    )


_FIGURES: dict[str, tuple[str, dict[str, Any]]] = {
    "people": ("households.listed", {}),
    "at_risk": ("recognitions.listed", {"standing": "active"}),
    "cases": ("warnings.listed", {"state": "open"}),
    "owed": ("owed.listed", {}),
    "overdue": ("recognitions.listed", {"standing": "overdue"}),
}
"""Figure → the list of what it counts: its page, and what is chosen there."""


def _link(actor: Actor, endpoint: str, chosen: dict[str, Any]) -> str:
    """The address of a list for whoever may open it, else nothing."""
    return url_for(endpoint, **chosen) if may_open(actor, endpoint) else ""


Bar = tuple[str, int, str]
"""Name, length, and the figure as text."""


def _bar(name: str, count: int) -> Bar:
    return name, count, str(count)


def _share(part: int, whole: int) -> tuple[int, str]:
    """A share in thousandths, and as text in per cent."""
    thousandths = part * 1000 // whole if whole else 0
    return thousandths, f"{thousandths // 10}.{thousandths % 10}"


def _source(key: str | None) -> str:
    return _("尚未调查") if key is None else pick(*INCOME_SOURCES[key])


def _villages(found: Dashboard) -> list[Bar] | None:
    if found.key_villages is None:
        return None
    inside, others = found.key_villages
    return [_bar(_("重点村"), inside), _bar(_("其他村"), others)]


def _bands(found: Dashboard) -> list[Bar]:
    return [
        _bar(
            _("%(age)s 岁以上", age=low)
            if high is None
            else _("%(low)s–%(high)s 岁", low=low, high=high - 1),
            count,
        )
        for (low, high), count in found.bands.items()
    ]
