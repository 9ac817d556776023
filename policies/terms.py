"""Words of the standards, each as (Chinese, English) by its key. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Pair = tuple[str, str]

REVERSE_NAMES: Mapping[str, Pair] = {
    "deposit": ("大额存款", "large deposits"),
    "machinery": ("大型农机具", "large farm machinery"),
    "housing": ("商品房", "commercial housing"),
    "vehicle": ("高档车辆", "costly vehicles"),
    "company": ("开办企业", "companies"),
    "payroll": ("直系亲属为财政供养人员", "close relatives on the public payroll"),
}
"""The reverse standards 反向标准."""

VALUES: Mapping[str, Pair] = {
    "amount_from": ("存款达到", "deposits from"),
    "price_from": ("价格达到", "price from"),
    "capital_from": ("注册资本达到", "capital from"),
    "uses": ("房屋用途", "uses"),
    "within_years": ("最近年数", "within years"),
    "statuses": ("企业状态", "statuses"),
}
"""What a reverse standard says, by the key of policy.toml."""

REASON_GROUPS: Mapping[str, Pair] = {
    "guarantees": ("两不愁三保障", "two assurances and three guarantees"),
    "temporary": ("临时性困难", "temporary hardship"),
    "special": ("特殊困难", "special hardship"),
    "elderly": ("贫困老人", "poor elderly"),
}
"""The groups of the qualitative reasons 定性标准, in the order of the survey form."""

ROUNDINGS: Mapping[str, Pair] = {
    "down": ("向下取整", "rounded down"),
    "half_up": ("四舍五入", "rounded half up"),
}

UNITS: Mapping[str, Pair] = {"yuan": ("到元", "to the yuan"), "fen": ("到分", "to the fen")}

STATES: Mapping[str, Pair] = {
    "proposed": ("待批准", "proposed"),
    "active": ("执行中", "in force"),
    "refused": ("未批准", "refused"),
    "replaced": ("已被取代", "replaced"),
}
