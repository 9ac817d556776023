"""The commands `fangpin users …`."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from foundation.actors import Role
from foundation.money import Money
from webapp.cli_options import on_database, opened_for

_Day = click.DateTime(formats=["%Y-%m-%d"])


def _dated(command: Callable[..., Any]) -> Callable[..., Any]:
    begins = click.option(
        "--from", "valid_from", type=_Day, help="起始日;缺省为今天 / first day; today unless given"
    )
    ends = click.option("--to", "valid_to", type=_Day, help="终止日;缺省为长期 / last day; none unless given")
    return begins(ends(command))


class _Yuan(click.ParamType[Money]):
    name = "YUAN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Money:
        try:
            return Money.from_yuan(str(value))
        except ValueError:
            return self.fail(f"{value} 应为金额(元),如 10000.00 / must be an amount in yuan", param, ctx)


@click.group(
    short_help="人员、账号、岗位、限额 / people, accounts, roles, limits",
    subcommand_metavar="命令 COMMAND [ARGS]…",
)
def users() -> None:
    """人员、账号、岗位与限额。授予权限须两人:此处只能申请,由另一人在网页审批。

    People, accounts, roles and limits. What makes someone gain takes two persons: it is asked for here and approved by
    a second person on the page. Only the first two security administrators are granted here.
    """


@users.command("list", short_help="列出账号 / list the accounts")
@on_database
def list_accounts(database: str | None, key_file: Path | None) -> None:
    """列出账号 / list the accounts."""
    from webapp.users import accounts

    with opened_for(database, key_file) as runtime, runtime.database.reading() as session:
        found = list(accounts(session))
    for line in found:
        roles = " ".join(line.roles) or "—"
        state = "" if line.state == "active" else " [停用 disabled]"
        click.echo(f"{_wide(line.login, 20)}{_wide(line.name, 22)}{roles}{state}  ({line.person})")
    click.echo(f"账号 {len(found)} 个 / {len(found)} accounts")


@users.command(short_help="增加账号 / add an account")
@click.argument("login")
@click.option("--name", help="姓名(新人员) / name of a new person")
@click.option("--id-number", help="其身份证号;不给出时询问 / their ID number; asked for unless given")
@click.option("--person", metavar="ID", help="已有人员的编号 / id of a known person, for one more account")
@on_database
def add(
    login: str,
    name: str | None,
    id_number: str | None,
    person: str | None,
    database: str | None,
    key_file: Path | None,
) -> None:
    """增加人员和账号 / add a person with an account."""
    if (name is None) == (person is None):
        raise click.UsageError("--name 与 --person 须给出其一 / give either --name or --person")
    from webapp import users as work

    if name is not None and id_number is None:
        # Asked for, so that it need not stand in the shell's history.
        id_number = click.prompt("身份证号 / ID number", err=True)
    with opened_for(database, key_file) as runtime:
        click.echo(work.add(runtime, login, name, id_number, person))


@users.command(short_help="申请岗位 / ask for a role")
@click.argument("login")
@click.argument(
    "role", type=click.Choice([r.value for r in Role if r is not Role.SYSTEM], case_sensitive=False)
)
@click.option(
    "--place", required=True, metavar="CODE", help="区划代码 6/9/12 位 / area code of 6, 9 or 12 digits"
)
@click.option("--department", metavar="KEY", help="行业部门,如 MEDINS / the department, such as MEDINS")
@_dated
@on_database
def grant(
    login: str,
    role: str,
    place: str,
    department: str | None,
    valid_from: datetime | None,
    valid_to: datetime | None,
    database: str | None,
    key_file: Path | None,
) -> None:
    """为账号申请岗位 / ask for a role for an account."""
    from webapp import users as work

    with opened_for(database, key_file) as runtime:
        click.echo(
            work.grant(runtime, login, Role(role), place, department, _day(valid_from), _day(valid_to))
        )


@users.command(short_help="申请核定限额 / ask for a limit of determination")
@click.argument("login")
@click.argument("amount", type=_Yuan(), metavar="YUAN")
@_dated
@on_database
def limit(
    login: str,
    amount: Money,
    valid_from: datetime | None,
    valid_to: datetime | None,
    database: str | None,
    key_file: Path | None,
) -> None:
    """为账号所属人员申请核定限额 / ask for a limit for the person behind an account."""
    from webapp import users as work

    with opened_for(database, key_file) as runtime:
        click.echo(work.limit(runtime, login, amount, _day(valid_from), _day(valid_to)))


@users.command(short_help="发放一次性密码 / give a one-time password")
@click.argument("login")
@on_database
def password(login: str, database: str | None, key_file: Path | None) -> None:
    """发放一次性密码,登录后须立即修改;该账号的登录全部失效。

    Give a one-time password, to be changed at the next sign-in. Every sign-in of the account ends.
    """
    from webapp import users as work

    with opened_for(database, key_file) as runtime:
        click.echo(f"一次性密码 / one-time password: {work.password(runtime, login)}")


@users.command(short_help="停用账号 / disable an account")
@click.argument("login")
@on_database
def disable(login: str, database: str | None, key_file: Path | None) -> None:
    """停用账号,立即生效 / disable an account, at once."""
    _set_state(login, "disabled", database, key_file)


@users.command(short_help="启用账号 / enable an account")
@click.argument("login")
@on_database
def enable(login: str, database: str | None, key_file: Path | None) -> None:
    """重新启用账号 / enable an account again."""
    _set_state(login, "active", database, key_file)


@users.command(short_help="演示账号的动态口令 / code of a demo account")
@click.argument("login")
@on_database
def code(login: str, database: str | None, key_file: Path | None) -> None:
    """显示演示账号当前的动态口令 / show the present code of a demo account."""
    from webapp import users as work

    with opened_for(database, key_file) as runtime, runtime.database.reading() as session:
        click.echo(work.code(session, runtime.sealer, login, runtime.clock.now()))


@users.command(short_help="建立演示账号 / make the demo accounts")
@on_database
def demo(database: str | None, key_file: Path | None) -> None:
    """为每个岗位建立一个演示账号 / make a demo account for every role."""
    from webapp import users as work

    with opened_for(database, key_file) as runtime:
        with runtime.database.transaction() as session:
            made = work.ensure_demo_accounts(session, runtime.sealer, runtime.clock.now())
        for account in made:
            needs = "+ 动态口令 code" if account.needs_code else ""
            click.echo(
                f"{_wide(account.login, 20)}{_wide(account.name, 20)}{account.role}@{account.place} {needs}"
            )
    click.echo(
        f"演示账号 {len(made)} 个,密码均为 {work.DEMO_PASSWORD} / {len(made)} demo accounts, password as shown;"
        " fangpin users code LOGIN"
    )


def _set_state(login: str, state: str, database: str | None, key_file: Path | None) -> None:
    from webapp import users as work

    with opened_for(database, key_file) as runtime:
        click.echo(work.set_state(runtime, login, state))


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _wide(text: str, columns: int) -> str:
    """Text filled with spaces to a width; a Chinese character takes two columns."""
    width = sum(2 if unicodedata.east_asian_width(char) in "FW" else 1 for char in text)
    return text + " " * max(1, columns - width)
