"""Who acts: a natural person through an account, in a role, at a place.

Pure. Segregation of duties is checked by `person`, never by account (`foundation.segregation`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from foundation.errors import NotAllowedError


class Role(StrEnum):
    """Roles of the county's practice. Which routes a role may call stands in `webapp.rights`."""

    SYSTEM = "SYSTEM"
    VILLAGE_OFFICER = "VILLAGE_OFFICER"
    TOWN_REVIEWER = "TOWN_REVIEWER"
    CENTER_CERTIFIER = "CENTER_CERTIFIER"
    CENTER_LEAD = "CENTER_LEAD"
    DEPARTMENT = "DEPARTMENT"
    LEADING_GROUP = "LEADING_GROUP"
    CLAIM_OFFICER = "CLAIM_OFFICER"
    ADJUDICATOR = "ADJUDICATOR"
    ADJ_SENIOR = "ADJ_SENIOR"
    FIN_MAKER = "FIN_MAKER"
    FIN_CHECKER = "FIN_CHECKER"
    FIN_RELEASER = "FIN_RELEASER"
    RECON = "RECON"
    AUDITOR = "AUDITOR"
    SYS_ADMIN = "SYS_ADMIN"
    SEC_ADMIN = "SEC_ADMIN"
    LOG_ADMIN = "LOG_ADMIN"


ROLE_NAMES = {
    Role.SYSTEM: ("系统", "system"),
    Role.VILLAGE_OFFICER: ("村工作专员", "village officer"),
    Role.TOWN_REVIEWER: ("镇(街道)审核", "town reviewer"),
    Role.CENTER_CERTIFIER: ("县中心资格核验", "centre certifier"),
    Role.CENTER_LEAD: ("县中心负责人", "centre lead"),
    Role.DEPARTMENT: ("行业部门", "department"),
    Role.LEADING_GROUP: ("领导小组", "leading group"),
    Role.CLAIM_OFFICER: ("理赔员", "claim officer"),
    Role.ADJUDICATOR: ("核赔人", "adjudicator"),
    Role.ADJ_SENIOR: ("高级核赔", "senior adjudicator"),
    Role.FIN_MAKER: ("制单", "maker"),
    Role.FIN_CHECKER: ("复核", "checker"),
    Role.FIN_RELEASER: ("授权", "releaser"),
    Role.RECON: ("对账员", "reconciler"),
    Role.AUDITOR: ("审计", "auditor"),
    Role.SYS_ADMIN: ("系统管理员", "system administrator"),
    Role.SEC_ADMIN: ("安全管理员", "security administrator"),
    Role.LOG_ADMIN: ("审计日志管理员", "log administrator"),
}

ADMIN_ROLES = frozenset({Role.SYS_ADMIN, Role.SEC_ADMIN, Role.LOG_ADMIN})
"""三员: nobody holds two of them, nor one of them with a business role (K7)."""

SECOND_FACTOR_ROLES = ADMIN_ROLES | {
    Role.ADJUDICATOR,
    Role.ADJ_SENIOR,
    Role.FIN_MAKER,
    Role.FIN_CHECKER,
    Role.FIN_RELEASER,
}
"""Whoever determines, or brings money on its way to the bank, and administrators, sign in with two factors."""


class Assurance(StrEnum):
    """How surely the actor is who they say: it stands in every event."""

    PROGRAM = "program"
    """The program itself acts, or the command line of whoever administers the machine."""
    PASSWORD = "password"  # noqa: S105  # a word for it, not one of them
    SECOND_FACTOR = "second_factor"
    STEP_UP = "step_up"
    """A fresh second factor, asked for just before."""
    TOKEN = "token"  # noqa: S105
    RUN_STANDS_IN = "run_stands_in"
    """`fangpin run` stands in for the second factor and the step-up of its demo officers."""


@dataclass(frozen=True, slots=True)
class Actor:
    """`person` identifies the human being, `account` what they signed in with; `place` is an area code prefix.

    `place` has 6 digits for the county, 9 for a town, 12 for a village. `department` is the key of the department
    that an actor in the role DEPARTMENT works for (`households.departments`).
    """

    person: str
    account: str
    role: Role
    place: str
    name: str
    assurance: Assurance = Assurance.PROGRAM
    department: str | None = None

    def must_be(self, *roles: Role) -> None:
        """Raises NotAllowedError unless the actor has one of the roles."""
        if self.role not in roles:
            zh = "、".join(ROLE_NAMES[role][0] for role in roles)
            en = ", ".join(ROLE_NAMES[role][1] for role in roles)
            raise NotAllowedError(f"此操作须由{zh}办理", f"this step is for: {en}")

    def must_be_sure(self, *kinds: Assurance) -> None:
        """Raises NotAllowedError unless the actor was recognised in one of these ways."""
        if self.assurance not in kinds:
            raise NotAllowedError(
                "此操作须先验证动态口令", "this step asks for a code of your second factor first"
            )


def actor_text(actor: Actor) -> str:
    """An actor as a row keeps them for work that is done later in their name: JSON."""
    return json.dumps(asdict(actor), ensure_ascii=False)


def actor_from(text: str) -> Actor:
    """The actor that a row keeps."""
    data: dict[str, Any] = json.loads(text)
    return Actor(**(data | {"role": Role(data["role"]), "assurance": Assurance(data["assurance"])}))


FRESHLY_SURE = (Assurance.STEP_UP, Assurance.RUN_STANDS_IN)
"""A second factor just given: before money is released."""
TWICE_SURE = (Assurance.SECOND_FACTOR, *FRESHLY_SURE)
"""Signed in with two factors: before a claim is determined. A token of the API is never enough."""
