"""Child processes of `fangpin serve`: the web server and the worker. A child ends with its parent, even on kill -9.

A child is given its settings in its environment: an address of a database may hold a password, and everyone on the
machine can read a command line.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from foundation.clock import SystemClock
from foundation.errors import FangpinError

_ROOT = str(Path(__file__).resolve().parent.parent)
_START = "import sys; sys.path.append(sys.argv[1]); from webapp.children import main; main(sys.argv[2])"
_SETTINGS = "FANGPIN_CHILD"
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
THREADS = 8
GRACE_SECONDS = 8
"""How long a request at hand may still take when the server is told to stop."""


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """What a child needs to know beside the environment that it inherits."""

    parent: int
    database: str
    key_file: str | None
    listener: int = -1
    """The descriptor of the socket that the parent has bound; it outlives the web process."""
    plain_http: bool = True
    hosts: tuple[str, ...] = ()
    demo: bool = False
    demo_logins: tuple[tuple[str, str], ...] = ()


def start_child(name: str, settings: ChildSettings, log: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """Starts the child `web` or `worker`, in a process group of its own: Ctrl-C is for the parent to pass on."""
    environment = os.environ | {_SETTINGS: orjson.dumps(asdict(settings)).decode()}
    listener = [settings.listener] if settings.listener >= 0 else []
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _START, _ROOT, name],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
        pass_fds=listener,
        process_group=0,
    )


def end_with(parent: int) -> None:
    """Has the kernel end this process when its parent ends, however that comes about."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)  # It has ended before the kernel was asked.


def main(name: str) -> None:
    """Entry point of a child."""
    data = orjson.loads(os.environ.pop(_SETTINGS))
    data["hosts"] = tuple(data["hosts"])
    data["demo_logins"] = tuple((login, role) for login, role in data["demo_logins"])
    settings = ChildSettings(**data)
    end_with(settings.parent)
    from webapp import logs

    logs.configure()
    try:
        _MAINS[name](settings)
    except FangpinError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(3)


def _worker(settings: ChildSettings) -> None:
    from webapp.worker import work

    work(settings.database, _key_file(settings), migrated=True)


def _web(settings: ChildSettings) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        """One process with threads; the application is made in it, after the fork."""

        def load_config(self) -> None:
            for key, value in _gunicorn(settings).items():
                self.cfg.set(key, value)

        def load(self) -> Any:
            return _application(settings)

    Server().run()


def _gunicorn(settings: ChildSettings) -> dict[str, Any]:
    def tie(arbiter: Any, _worker: Any) -> None:
        end_with(arbiter.pid)

    return {
        "bind": [f"fd://{settings.listener}"],
        "workers": 1,
        "worker_class": "gthread",
        "threads": THREADS,
        "timeout": 120,
        "graceful_timeout": GRACE_SECONDS,
        "loglevel": "warning",
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108  # a heartbeat, in memory
        "control_socket_disable": True,
        "post_fork": tie,
        "proc_name": "fangpin",
    }


def _application(settings: ChildSettings) -> Any:
    from households.queries import county_of
    from webapp.application import Options, make_app
    from webapp.demo_actors import COUNTY
    from webapp.opening import open_installation
    from webapp.settings import county_names

    runtime = open_installation(settings.database, _key_file(settings), migrated=True)
    with runtime.database.reading() as session:
        county = county_of(session) or COUNTY
    options = Options(
        county=county,
        county_name=county_names(county),
        demo=settings.demo,
        plain_http=settings.plain_http,
        hosts=settings.hosts,
        demo_logins=settings.demo_logins,
    )
    return make_app(runtime.database, runtime.sealer, SystemClock(), options)


def _key_file(settings: ChildSettings) -> Path | None:
    return None if settings.key_file is None else Path(settings.key_file)


_MAINS: dict[str, Callable[[ChildSettings], None]] = {"web": _web, "worker": _worker}
CHILDREN: Sequence[str] = tuple(_MAINS)
