"""Words of the households' states and kinds, each as (Chinese, English) by its key. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Pair = tuple[str, str]

BEGINNINGS: Mapping[str, Pair] = {
    "roster": ("参保名册", "in the roster"),
    "birth": ("出生", "born"),
    "marriage": ("婚嫁迁入", "came by marriage"),
    "moved_in": ("迁入", "moved in"),
    "split": ("分户", "split off"),
    "merged": ("并户", "merged"),
    "returned": ("回迁", "came back"),
    "corrected": ("更正", "corrected"),
}
"""How a membership began."""

ENDINGS: Mapping[str, Pair] = {
    "death": ("死亡", "died"),
    "marriage": ("婚嫁迁出", "left by marriage"),
    "moved_out": ("迁出", "moved out"),
    "split": ("分户", "split off"),
    "merged": ("并户", "merged"),
    "corrected": ("更正", "corrected"),
}
"""How a membership ended."""

INCOME_SOURCES: Mapping[str, Pair] = {
    "elder_support": ("孝善养老和赡养费", "support by children"),
    "safety_net": ("兜底保障", "safety net"),
    "other_transfer": ("其他转移支付", "other transfers"),
    "wages": ("工资性收入", "wages"),
    "operating": ("经营性收入", "own business and farming"),
    "property": ("财产性收入", "property"),
}
"""What a household mainly lives on (the county's register has the first three of its poorest)."""

CAUSES: Mapping[str, Pair] = {
    "illness": ("因病", "illness"),
    "education": ("因学", "schooling"),
    "accident": ("因意外", "accident"),
    "disaster": ("因灾", "disaster"),
    "disability": ("因残", "disability"),
    "job_loss": ("失业", "loss of work"),
    "labour": ("缺劳动力", "nobody able to work"),
    "other": ("其他", "other"),
}
"""Why a household is in hardship."""

TRACKS: Mapping[str, Pair] = {
    "out_of_poverty": ("脱贫", "out of poverty"),
    "relief": ("解困", "relief from hardship"),
}
"""The two tracks of support."""

MATTER_KEYS: Mapping[str, str] = {
    "存款": "deposit",
    "农机具": "machinery",
    "商品房": "housing",
    "车辆": "vehicle",
    "企业": "company",
    "财政供养": "payroll",
}
"""事项 of a clearance, and the reverse standard that it answers."""
