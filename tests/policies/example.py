"""A policy.toml with every line, benefit and reverse standard, in round figures that can be reckoned by hand."""

from __future__ import annotations

from policies.policy import Policy
from policies.policy_file import parse_policy

POLICY = """
notice_days = 180
time_bar_years = 2
household_cap = 150000.00

[policy]
number = "FPB-1"
title = "防贫保险"
purchaser = "中心"
insurer = "公司"
jurisdiction = "370323"
period = { from = 2020-01-01, to = 2020-12-31 }
premium_per_head = 450.00

[poverty_line]
basis = 19128.00
ratio = 0.33
clause = "第一条"

[reverse_standards]
deposit = { amount_from = 50000.00, clause = "第二条" }
machinery = { price_from = 50000.00, clause = "第二条" }
housing = { uses = ["商品住宅"], clause = "第二条", within_years = 5 }
vehicle = { price_from = 100000.00, clause = "第二条" }
company = { capital_from = 100000.00, statuses = ["存续"], clause = "第二条" }
payroll = { clause = "第二条" }

[lines.illness]
title = "因病"
clause = "第三条"
income_ceiling = 1.5
waiting_days = 30
evidence = ["身份证"]
excluded_causes = ["整形美容"]

[lines.illness.benefits.medical]
kind = "expense"
clause = "第三条第二款"
per = "person"
over = "policy_year"
franchise = { default = 10000.00, "相对贫困户" = 5000.00 }
tiers = [[0.00, 0.00], [5000.00, 0.30], [20000.00, 0.50], [50000.00, 0.70], [100000.00, 0.80]]
cap = 100000.00

[lines.education]
title = "因学"
clause = "第四条"
evidence = ["身份证"]
levels = ["中专", "大专", "本科"]

[lines.education.benefits.tuition]
kind = "expense"
clause = "第四条第二款"
per = "person"
over = "academic_year"
tiers = [[0.00, 0.00], [8000.00, 0.60], [12000.00, 0.80], [16000.00, 1.00]]
cap = 20000.00

[lines.accident]
title = "因意外"
clause = "第五条"
evidence = ["身份证"]
excluded_causes = ["酒驾"]

[lines.accident.benefits.death]
kind = "fixed"
clause = "第五条第一款"
sum = 30000.00
evidence = ["死亡证明"]

[lines.accident.benefits.disability]
kind = "graded"
clause = "第五条第二款"
sum = 30000.00
grades = [1.00, 0.90, 0.80, 0.70, 0.60, 0.50, 0.40, 0.30, 0.20, 0.10]

[lines.accident.benefits.medical]
kind = "expense"
clause = "第五条第三款"
per = "person"
over = "policy_year"
tiers = [[0.00, 0.00], [100.00, 0.90]]
cap = 5000.00

[lines.accident.benefits.property]
kind = "expense"
clause = "第五条第四款"
per = "household"
over = "policy_year"
tiers = [[0.00, 0.00], [500.00, 0.50]]
cap = 3000.00

[lines.income]
title = "收入责任险"
clause = "第六条"
evidence = ["身份证"]
covered_causes = ["因灾减产"]

[lines.income.benefits.shortfall]
kind = "shortfall"
clause = "第六条第二款"
rate = 1.00
cap_per_head = 3000.00
cap = 10000.00
"""


def changed(*replacements: tuple[str, str]) -> str:
    """The example with something replaced, where it stands first."""
    text = POLICY
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def read(*replacements: tuple[str, str]) -> Policy:
    """The policy of the example with something replaced."""
    return parse_policy(changed(*replacements).encode())
