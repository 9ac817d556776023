"""Why personal data is looked at in full, or taken out of the program: the purposes that there are, as data.

Pure. The law asks for a clear and reasonable purpose, and to stay within it (个人信息保护法 6, 34). What fits none of
these is not looked at; a new purpose is a new line here, for everybody to see.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from foundation.actors import Role
from foundation.errors import InvalidInput

_DESK = frozenset({Role.CLAIM_OFFICER, Role.ADJUDICATOR, Role.ADJ_SENIOR, Role.CENTER_CERTIFIER})
_FINANCE = frozenset({Role.FIN_MAKER, Role.FIN_CHECKER, Role.FIN_RELEASER, Role.RECON})


@dataclass(frozen=True, slots=True)
class Purpose:
    """What data may be used for, in words; who may see somebody's data in full for it; whether data goes out for it."""

    zh: str
    en: str
    views: frozenset[Role] = frozenset()
    exports: bool = False
    needs_note: bool = False
    """The purpose alone says too little: the letter or the file number of whoever asked belongs beside it."""


PURPOSES: Mapping[str, Purpose] = {
    "identity": Purpose("核对身份", "check who somebody is", _DESK),
    "bank_account": Purpose(
        "与银行核对账户", "check an account with the bank", _DESK | _FINANCE, exports=True
    ),
    "signing": Purpose("交家庭核对签名", "have the family check and sign", exports=True),
    "visit": Purpose("入户调查", "visit a household", _DESK, exports=True),
    "appeal": Purpose("复核申诉", "look into an appeal", _DESK, exports=True),
    "audit": Purpose("审计检查", "audit or inspection", frozenset({Role.AUDITOR}), exports=True),
    "authority": Purpose(
        "司法或监察机关要求",
        "asked for by a court or a supervisory body",
        _DESK,
        exports=True,
        needs_note=True,
    ),
    "statistics": Purpose("统计上报", "report figures", exports=True),
    "to_bank": Purpose("送银行代发", "send to the bank to be paid", exports=True),
    "correction": Purpose("退回更正", "send back to be corrected", exports=True),
    "archive": Purpose("归档", "file in the archive", exports=True),
}
"""Code → purpose, in the order in which they are offered. A code never changes: it stands in the register."""

EXPORT_PURPOSES: tuple[str, ...] = tuple(code for code, purpose in PURPOSES.items() if purpose.exports)
"""What data may be taken out for."""

MOST_NOTE = 200
"""Characters of the note beside a purpose."""


def view_purposes(role: Role) -> tuple[str, ...]:
    """What a role may look at somebody's data in full for; none for a role that never may."""
    return tuple(code for code, purpose in PURPOSES.items() if role in purpose.views)


def check_purpose(purpose: str | None, note: str | None, allowed: Collection[str]) -> None:
    """Raises InvalidInput where a purpose is missing or not allowed here, or its note is missing."""
    if purpose is None:
        raise InvalidInput({"purpose": [("请选择用途", "choose a purpose")]})
    if purpose not in allowed:
        raise InvalidInput(
            {"purpose": [("这个用途不适用于此处", "this is no purpose for it here; choose another one")]}
        )
    if PURPOSES[purpose].needs_note and not note:
        raise InvalidInput(
            {"note": [("请写明来函单位和文号", "name the body that asked and the number of its letter")]}
        )
