"""Who acts: a natural person through an account, in a role, at a place.

Pure. Segregation of duties is checked by `person`, never by account (design.md §3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foundation.errors import NotAllowedError


class Role(StrEnum):
    """Roles of reference practice; the web's rights table gives them routes later."""

    SYSTEM = "SYSTEM"
    CLAIM_OFFICER = "CLAIM_OFFICER"
    ADJUDICATOR = "ADJUDICATOR"
    FIN_MAKER = "FIN_MAKER"
    FIN_CHECKER = "FIN_CHECKER"
    FIN_RELEASER = "FIN_RELEASER"


ROLE_NAMES = {
    Role.SYSTEM: ("系统", "system"),
    Role.CLAIM_OFFICER: ("理赔员", "claim officer"),
    Role.ADJUDICATOR: ("核赔人", "adjudicator"),
    Role.FIN_MAKER: ("制单", "maker"),
    Role.FIN_CHECKER: ("复核", "checker"),
    Role.FIN_RELEASER: ("授权", "releaser"),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """`person` identifies the human being, `account` what they signed in with; `place` is an area code prefix."""

    person: str
    account: str
    role: Role
    place: str
    name: str

    def must_be(self, *roles: Role) -> None:
        """Raises NotAllowedError unless the actor has one of the roles."""
        if self.role not in roles:
            zh = "、".join(ROLE_NAMES[role][0] for role in roles)
            en = ", ".join(ROLE_NAMES[role][1] for role in roles)
            raise NotAllowedError(f"此操作须由{zh}办理", f"this step is for: {en}")
