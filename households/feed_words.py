"""A feed's layout in words: what stands in each column, when it is due, and the workbook to be filled in. Pure."""

from __future__ import annotations

from households.layouts import Layout
from households.terms import COLUMN_TYPES, REPORTING_PERIODS, Pair

_COUNTED: dict[str, Pair] = {"calendar": ("天", "days"), "working": ("个工作日", "working days")}


def column_words(layout: Layout, place: int) -> Pair:
    """What a column takes: its type, or the words that it lists."""
    words = layout.words[place]
    if words:
        return f"只能是:{'、'.join(words)}", f"one of: {', '.join(words)}"
    return COLUMN_TYPES[layout.types[place]]


def calendar_words(layout: Layout) -> Pair:
    """When files of a feed are due."""
    calendar = layout.calendar
    if calendar is None:
        return "有变动时报送", "when there is something new"
    zh, en = REPORTING_PERIODS[calendar.every]
    days_zh, days_en = _COUNTED[calendar.counted]
    return (
        f"{zh}报送,期末后 {calendar.due} {days_zh}内",
        f"{en}, within {calendar.due} {days_en} after its end",
    )


def template_note(layout: Layout) -> Pair:
    """What is to be known for filling in the template, in one line that may stay in the file."""
    listed = [
        (column.name, layout.words[place])
        for place, column in enumerate(layout.columns)
        if layout.words[place]
    ]
    zh = "说明:本行可以保留。身份证号写成文本;日期写成 2020-03-05;金额以元计,如 1234.50"
    en = "Note: this line may stay. ID numbers as text; days like 2020-03-05; amounts in yuan, like 1234.50"
    for name, words in listed:
        zh += f";“{name}”只能是 {'、'.join(words)}"
        en += f"; “{name}” is one of {', '.join(words)}"
    return f"{zh}。", f"{en}."
