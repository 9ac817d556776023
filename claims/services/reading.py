"""Reading a whole pack from a folder: its policy, the digests of its files, and its content."""

from __future__ import annotations

from pathlib import Path

from claims.pack import POLICY_FILE, Pack, read_pack
from claims.services.pack import pack_files
from foundation.errors import Fault, UnusableInput
from policies.policy import Policy
from policies.policy_file import load_policy


def read_whole_pack(folder: Path) -> tuple[Policy, dict[str, str], Pack]:
    """The policy, file digests and content of a pack. Raises UnusableInput that names every fault of every file."""
    faults: list[Fault] = []
    policy: Policy | None = None
    if (folder / POLICY_FILE).is_file():
        try:
            policy = load_policy(folder / POLICY_FILE)
        except UnusableInput as unusable:
            faults.extend(unusable.faults)
    try:
        files = pack_files(folder)
        pack = read_pack(folder)
    except UnusableInput as unusable:
        raise UnusableInput([*faults, *unusable.faults]) from None
    if policy is None:
        raise UnusableInput(faults)
    return policy, files, pack
