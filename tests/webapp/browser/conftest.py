"""A real Chromium before a served application with a county in it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from foundation.clock import SystemClock
from foundation.database import Database
from foundation.keyfile import open_sealer
from tests.policies.approving import in_force
from tests.webapp.conftest import MovableClock, Web
from webapp.application import Options, make_app
from webapp.services import sessions

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDE, PHONE = {"width": 1366, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Site:
    """A served application."""

    web: Web
    address: str
    browser: Browser

    def context(self, role: str | None = None, place: str = "370323", **options: Any) -> BrowserContext:
        """A browser window of somebody in a role, or of a visitor; options are Playwright's."""
        usual: dict[str, Any] = {"viewport": WIDE, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
        opened = self.browser.new_context(**usual | options)
        if role is not None:
            name = sessions.cookie_name(plain_http=True)
            cookie = self.web.sign_in(role, place).get_cookie(name, domain="localhost")
            assert cookie is not None
            opened.add_cookies([{"name": name, "value": cookie.value, "url": self.address}])
        return opened

    def page(self, path: str, role: str | None = None, **options: Any) -> Page:
        """A page opened by somebody in a role."""
        page = self.context(role, **options).new_page()
        answer = page.goto(self.address + path)
        assert answer is not None
        assert answer.status == 200, path
        return page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """This test process's Chromium. A machine without one fails here: `scripts/setup.sh dev` installs it."""
    assert Path(CHROMIUM).exists(), "chromium is missing: run scripts/setup.sh dev"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def site(
    browser: Browser,
    county_sqlite_file: Path,
    county_key_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The small pack's county, served on this machine. Tests of pages share it and leave it as it is."""
    file = tmp_path_factory.mktemp("site") / "site.db"
    shutil.copyfile(county_sqlite_file, file)
    database = Database(f"sqlite:///{file}")
    with database.transaction() as session:
        sealer = open_sealer(session, county_key_file)
        in_force(session)
    clock = MovableClock(SystemClock().now())
    options = Options(demo=True, testing=True, demo_logins=(("demo-officer", "CLAIM_OFFICER"),))
    app = make_app(database, sealer, clock, options)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    web = Web(app, database, sealer, clock, made=1000)
    yield Site(web, f"http://127.0.0.1:{server.server_port}", browser)
    server.shutdown()
    thread.join()
    database.close()
