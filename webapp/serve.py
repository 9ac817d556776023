"""`fangpin serve`: the web application and a worker, watched over by this process.

The parent binds the port and keeps it, so that a web process that dies is followed by another one on the same socket.
It does no work itself: it starts its children, starts again what ends, and ends them all when it is told to.
"""

from __future__ import annotations

import errno
import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import IO

from foundation.errors import ConfigurationError, FangpinError
from webapp.children import CHILDREN, GRACE_SECONDS, ChildSettings, start_child
from webapp.opening import opened

Say = Callable[[str], None]

LOOK_SECONDS = 0.2
READY_SECONDS = 60
STEADY_SECONDS = 60
"""A child that lived this long is started again at once; one that did not, later each time."""
LONGEST_DELAY = 30.0
_LOOPBACK_NAMES = ("127.0.0.1", "localhost")


class PortTaken(FangpinError):
    """Another program listens on the port."""

    code = "port_taken"

    def __init__(self, port: int) -> None:
        other = port + 1 if port < 65535 else 8001
        super().__init__(
            f"端口 {port} 已被占用,可另选一个:fangpin serve --port {other}(或 make run PORT={other})",
            f"port {port} is taken; choose another: fangpin serve --port {other} (or make run PORT={other})",
        )


class NotServing(FangpinError):
    """The web process ended before it answered once."""

    code = "not_serving"

    def __init__(self, log: Path | None) -> None:
        zh, en = ("上面的信息", "the lines above") if log is None else (str(log), str(log))
        super().__init__(f"网页进程未能启动,原因见 {zh}", f"the web process did not start; see {en}")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What is served, and where. `hosts` are further names that it answers to, behind a proxy with TLS."""

    database: str
    key_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    hosts: tuple[str, ...] = ()
    demo: bool = False
    log: Path | None = None
    """Where the children's log goes; standard error unless given."""


def serve(options: ServeOptions, say: Say) -> int:
    """Serves until it is told to stop (SIGTERM, SIGINT, SIGHUP), and gives 0.

    Raises PortTaken, NotServing, or ConfigurationError.
    """
    loopback = is_loopback(options.host)
    if options.demo and not loopback:
        raise ConfigurationError(
            "演示账号的密码是公开的,--demo 只能在本机(127.0.0.1)使用",
            "the demo's passwords are known to everyone: --demo serves this machine (127.0.0.1) only",
        )
    stop = threading.Event()
    with ExitStack() as stack:
        listener = stack.enter_context(bound(options.host, options.port))
        logins: Sequence[tuple[str, str]] = ()
        with opened(options.database, options.key_file) as runtime:
            if options.demo:
                from webapp.demo_table import announce_demo_accounts

                logins = announce_demo_accounts(runtime, say)
        log = None if options.log is None else stack.enter_context(_opened_log(options.log))
        port = int(listener.getsockname()[1])
        settings = ChildSettings(
            parent=os.getpid(),
            database=options.database,
            key_file=None if options.key_file is None else str(options.key_file),
            listener=listener.fileno(),
            plain_http=loopback and not options.hosts,
            hosts=tuple(dict.fromkeys((*_LOOPBACK_NAMES, options.host, *options.hosts))),
            demo=options.demo,
            demo_logins=tuple(logins),
        )
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        family = _Family(settings, log)
        stack.callback(family.end)
        family.start()
        _await_answer(family, options, port, stop)
        if not stop.is_set():
            _say_ready(options, port, say, loopback=loopback)
        while not stop.wait(LOOK_SECONDS):
            family.look_after()
    return 0


# --- the port ----------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bound(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PortTaken, or ConfigurationError where the address cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port) from None
        raise ConfigurationError(
            f"无法在 {host}:{port} 上监听({error.strerror})",
            f"cannot listen on {host}:{port} ({error.strerror})",
        ) from None


def _await_answer(family: _Family, options: ServeOptions, port: int, stop: threading.Event) -> None:
    """Waits until the web process answers. Raises NotServing when it ends before, or takes too long."""
    address = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host  # noqa: S104  # no binding here
    give_up = time.monotonic() + READY_SECONDS
    while not stop.is_set() and not _answers(address, port):
        if family.web_ended() or time.monotonic() > give_up:
            raise NotServing(options.log)
        stop.wait(LOOK_SECONDS)


def _answers(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=5)
    with suppress(OSError, http.client.HTTPException):
        try:
            connection.request("GET", "/healthz", headers={"Host": f"127.0.0.1:{port}"})
            return connection.getresponse().status == http.client.OK
        finally:
            connection.close()
    return False


def _say_ready(options: ServeOptions, port: int, say: Say, *, loopback: bool) -> None:
    shown = f"[{options.host}]" if ":" in options.host else options.host
    if not loopback:
        say(
            "注意:其他机器可以访问,必须在前面设置 TLS(https);登录 Cookie 只经 https 发送,"
            "对外的主机名用 FANGPIN_HOSTS 指定\n"
            "beware: other machines can reach this. Put TLS (https) in front: the sign-in cookie goes over https only; "
            "name the host that people type in FANGPIN_HOSTS"
        )
    say(f"网页已启动,按 Ctrl-C 结束 / serving, Ctrl-C ends it:  http://{shown}:{port}")


def _opened_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


# --- the children ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Kept:
    """One child that is kept running."""

    name: str
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    delay: float = 0.0
    due: float = field(default=0.0)


class _Family:
    """The children: started, started again when they end, ended together."""

    def __init__(self, settings: ChildSettings, log: IO[bytes] | None) -> None:
        self._settings = settings
        self._log = log
        self._children = [_Kept(name) for name in CHILDREN]

    def start(self) -> None:
        """Starts each of them."""
        for child in self._children:
            self._start(child)

    def _start(self, child: _Kept) -> None:
        child.process = start_child(child.name, self._settings, self._log)
        child.started = time.monotonic()

    def web_ended(self) -> bool:
        """Whether the web process is not there (any more)."""
        return any(
            child.name == "web" and (child.process is None or child.process.poll() is not None)
            for child in self._children
        )

    def look_after(self) -> None:
        """Starts again what has ended: at once after a long life, later each time after a short one."""
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                short = now - child.started < STEADY_SECONDS
                child.delay = min(LONGEST_DELAY, max(0.5, 2 * child.delay)) if short else 0.0
                child.due = now + child.delay
                child.process = None
            if child.process is None and now >= child.due:
                self._start(child)

    def end(self) -> None:
        """Tells all to end, and ends those that do not in time."""
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        give_up = time.monotonic() + GRACE_SECONDS + 4
        for process in running:
            try:
                process.wait(max(0.1, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
