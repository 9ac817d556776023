"""Words of the dashboard, each as (Chinese, English): lines of cover and the ways in which a report comes."""

from __future__ import annotations

from collections.abc import Mapping

LINE_NAMES: Mapping[str, tuple[str, str]] = {
    "illness": ("因病", "Illness"),
    "education": ("因学", "Education"),
    "accident": ("因意外", "Accident"),
    "income": ("收入", "Income"),
}
CHANNEL_NAMES: Mapping[str, tuple[str, str]] = {
    "department": ("部门预警", "Departments"),
    "village": ("镇村核查", "Village officers"),
    "town_window": ("镇窗口", "Town windows"),
    "county_window": ("县窗口", "County window"),
    "owed": ("应赔未赔", "Owed and not claimed"),
}
