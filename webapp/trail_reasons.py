"""Why, as events of the trail have it: codes, names and values put into words, in both languages.

An event keeps its reason short and free of personal data: a code (`approve`), words (`name,id_number`), or names with
values (`purpose=audit fields=account`). What is none of these is shown as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping

from claims.terms import OUTCOME_NAMES, REVIEW_NAMES, Pair
from foundation.actors import ROLE_NAMES
from foundation.money import Money
from foundation.privacy.assessments import CONCLUSIONS, SUBJECTS
from foundation.privacy.disclosures import FIELD_NAMES
from foundation.privacy.exports import KIND_NAMES
from foundation.privacy.purposes import PURPOSES
from households.checks import CHECKS
from households.comparison_words import SCOPES as COMPARISON_SCOPES
from households.layouts import layouts
from webapp.services.tokens import SCOPES

_ENDINGS: Mapping[str, Pair] = {
    "disabled": ("账号被停用", "the account was disabled"),
    "ended_by_owner": ("本人终止", "ended by its owner"),
    "password_changed": ("修改了密码", "the password was changed"),
    "password_reset": ("重新发放了密码", "a new password was given"),
    "second_factor_reset": ("重置了动态口令", "the second factor was reset"),
    "second_factor_set": ("绑定了动态口令", "a second factor was set"),
}
_FEEDS: Mapping[str, Pair] = {feed: layout.title for feed, layout in layouts().items()}
_CODES: Mapping[str, Mapping[str, Pair]] = {
    "account.password_accepted": {
        "enrol": ("须绑定动态口令", "a second factor is to be set"),
        "new_password": ("须修改密码", "the password is to be changed"),
        "second_factor": ("须输入动态口令", "the code is to be given"),
    },
    "account.sign_in_failed": {
        "code": ("口令不对", "wrong code"),
        "password": ("密码不对", "wrong password"),
    },
    "claim.determined": OUTCOME_NAMES,
    "claim.recommended": OUTCOME_NAMES,
    "feed.taken_in": _FEEDS,
    "feed.uploaded": _FEEDS,
    "review.opened": REVIEW_NAMES,
    "session.ended": _ENDINGS,
    "token.revoked": _ENDINGS,
}
"""Action → code → words."""

_WORDS: Mapping[str, Pair] = {
    **{key: check.title for key, check in CHECKS.items()},
    **COMPARISON_SCOPES,
    "passed": ("通过", "passed"),
    "failed": ("不通过", "not passed"),
    **{role.value: names for role, names in ROLE_NAMES.items()},
    **{code: (purpose.zh, purpose.en) for code, purpose in PURPOSES.items()},
    **{code: (subject.zh, subject.en) for code, subject in SUBJECTS.items()},
    **CONCLUSIONS,
    **KIND_NAMES,
    **SCOPES,
    **FIELD_NAMES,
    "name": ("姓名", "name"),
    "payment_notice": ("赔付通知书", "payment notice"),
    "refusal_notice": ("拒赔通知书", "refusal notice"),
    "calculation_sheet": ("赔款计算书", "calculation sheet"),
    "village_notice": ("公示表", "village notice"),
    "batch_summary": ("支付批次汇总表", "batch summary"),
    "programme_report": ("运行情况报告", "programme report"),
    "audit_report": ("运行情况报告(审计备查)", "audit report"),
    "-": ("未说明", "not given"),
}
_NAMES: Mapping[str, Pair] = {
    "checks": ("项目", "checks"),
    "hits": ("命中", "hits"),
    "scope": ("对象", "whom"),
    "asked_by": ("申请人", "asked by"),
    "claim": ("案件", "claim"),
    "count": ("数量", "number"),
    "fields": ("内容", "data"),
    "head": ("链首", "head"),
    "household": ("家庭", "household"),
    "key": ("密钥", "key"),
    "kind": ("种类", "kind"),
    "limit": ("上限", "limit"),
    "payment": ("付款", "payment"),
    "people": ("涉及人数", "people"),
    "planned": ("计划处数", "planned"),
    "policy": ("保单", "policy"),
    "purpose": ("用途", "purpose"),
    "records": ("条数", "records"),
    "sealed": ("已重新加密处数", "sealed anew"),
}
_SUMS = ("limit.asked", "limit.granted", "limit.refused", "limit.ended")


def reason_words(action: str, reason: str | None) -> Pair:
    """A reason in words; empty where the event has none."""
    if not reason:
        return "", ""
    known = _CODES.get(action, {}).get(reason)
    if known is not None:
        return known
    if action in _SUMS and reason.isdigit():
        amount = Money(int(reason)).grouped
        return f"{amount} 元", f"{amount} yuan"
    if action == "pack.uploaded":
        return f"告知同意书 {reason}", f"consent text {reason}"
    plain = [_listed(part) for part in reason.split(" ") if not _is_named(part)]
    named = [_named(part) for part in reason.split(" ") if _is_named(part)]
    zh = [*(words for words, _ in plain), ",".join(words for words, _ in named)]
    en = [*(words for _, words in plain), ", ".join(words for _, words in named)]
    return " ".join(filter(None, zh)), " ".join(filter(None, en))


def _is_named(part: str) -> bool:
    return part.partition("=")[0] in _NAMES


def _named(part: str) -> Pair:
    """`purpose=audit` → `用途 审计检查`."""
    name, _, value = part.partition("=")
    zh, en = _listed(value)
    return f"{_NAMES[name][0]} {zh}", f"{_NAMES[name][1]} {en}"


def _listed(value: str) -> Pair:
    """`name,id_number` → `姓名、身份证号`."""
    words = [_WORDS.get(word, (word, word)) for word in value.split(",")]
    return "、".join(zh for zh, _ in words), ", ".join(en for _, en in words)
