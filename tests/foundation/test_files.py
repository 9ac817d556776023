"""Copies on the disk: whole under their name or not there, and nothing left of writers that were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from foundation.files import whole_or_not, write_copy

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from foundation.files import whole_or_not
with whole_or_not(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*.part"))


def test_a_copy_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "summary.json"
    write_copy(path, b"first")
    with pytest.raises(RuntimeError), whole_or_not(path) as file:
        file.write(b"second, not")
        raise RuntimeError
    assert path.read_bytes() == b"first"
    assert left_over(path.parent) == []


def test_what_a_killed_writer_left_goes_with_the_next_copy(tmp_path: Path) -> None:
    path = tmp_path / "summary[1].json"
    ended = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(path)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert len(left_over(tmp_path)) == 1
    write_copy(tmp_path / "other.json", b"another's")
    assert len(left_over(tmp_path)) == 1
    write_copy(path, b"whole")
    assert left_over(tmp_path) == []
    assert path.read_bytes() == b"whole"


def test_a_writer_at_work_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    with whole_or_not(path) as file:
        file.write(b"slow")
        os.fsync(file.fileno())
        write_copy(path, b"quick")
        assert path.read_bytes() == b"quick"
    assert path.read_bytes() == b"slow"
