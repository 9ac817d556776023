"""The command line `fangpin`. Here every error is turned into a message and an exit code, once.

Exit codes: 0 all is well; 1 errors.csv has rows, or the doctor found something; 2 the input or the installation is
unusable; 3 a step failed or was refused.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from foundation.database import unreachable
from foundation.errors import FangpinError, InvalidInput
from foundation.guards import refused
from webapp import cli_claims, cli_keys, cli_retention, cli_serve, cli_trail, cli_users


def main() -> None:
    """Entry point of the console script."""
    sys.exit(guarded(lambda: cli.main(standalone_mode=False)))


def guarded(command: Callable[[], Any]) -> int:
    """Runs a command and maps whatever it raises to a message on standard error and an exit code."""
    try:
        result = command()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        click.echo("已中断。再次运行即从断点继续。 / Interrupted. Run it again to go on.", err=True)
        return 130
    except InvalidInput as error:
        for zh, en in (pair for pairs in error.fields.values() for pair in pairs):
            click.echo(f"{zh} / {en}", err=True)
        return 2
    except FangpinError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except DBAPIError as error:
        mapped: FangpinError = refused(error) or unreachable(error)
        click.echo(str(mapped), err=True)
        return mapped.exit_code
    except OSError as error:
        place = error.filename or ""
        click.echo(f"文件无法读写:{place}({error.strerror})", err=True)
        click.echo(f"a file cannot be read or written: {place} ({error.strerror})", err=True)
        return 2
    except Exception as error:  # noqa: BLE001  # the edge: nothing else may end with a code that means something
        _say_unforeseen(error)
        return 3
    return result if isinstance(result, int) else 0


def _say_unforeseen(error: Exception) -> None:
    """A fault of the program: where it is, without its message, which may hold somebody's data."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__}, {Path(place.filename).name}:{place.lineno}"
    click.echo(f"程序出错({where}),已完成的步骤不受影响,再次运行即从断点继续。请把此行报给维护者。", err=True)
    click.echo(
        f"a fault of the program ({where}); finished steps stand, run it again. Report this line.", err=True
    )
    if os.environ.get("FANGPIN_DEBUG") == "1":
        traceback.print_exception(error)


class _Day(click.ParamType[date]):
    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(value) if len(value) == 10 else _no_date(value)
        except ValueError:
            self.fail(f"{value} 不是日期,应如 2020-12-31 / is no date; write it like 2020-12-31", param, ctx)


def _no_date(value: str) -> date:
    raise ValueError(value)


class _Letters(click.ParamType[Any]):
    name = "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        value = value.lower() if isinstance(value, str) else value
        if value == "all" or (isinstance(value, str) and value.isascii() and value.isdigit()):
            return value if value == "all" else int(value)
        return self.fail(f"{value} 应为份数或 all / must be a number or all", param, ctx)


database_option = click.option(
    "--database", metavar="URL", help="数据库;缺省为 OUT/fangpin.db / database; OUT/fangpin.db unless given"
)
key_file_option = click.option(
    "--key-file", type=click.Path(path_type=Path), help="密钥文件 / key file of the sealed personal data"
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    options_metavar="[选项 OPTIONS]",
    subcommand_metavar="命令 COMMAND [ARGS]…",
)
@click.version_option(package_name="fangpin", help="版本 / show the version")
def cli() -> None:
    """防贫保险:县里的文件进,审核结论、银行文件和 PDF 出。

    Poverty-prevention insurance: a county's files go in; decisions, bank files and PDFs come out.
    """


@cli.command(short_help="办理一个县包 / carry out the main job on a county pack")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="结果文件夹 / folder for the results"
)
@database_option
@key_file_option
@click.option("--as-of", type=_Day(), help="按此日办理;缺省为今天 / the day to work on; today unless given")
@click.option("--decide-only", is_flag=True, help="只审核,不付款 / stop after decisions.csv and errors.csv")
@click.option(
    "--letters", type=_Letters(), default="20", show_default=True, help="打印通知书份数 / letters to print"
)
def run(
    pack: Path,
    out: Path,
    database: str | None,
    key_file: Path | None,
    as_of: date | None,
    decide_only: bool,
    letters: int | str,
) -> int:
    """办理一个县包:读取、审核、核定、付款、出具文书。

    Carry out the main job on a county pack. Run again, it goes on where it stopped; the same pack changes nothing.
    """
    from webapp.run import (
        STAGES,
        Options,
        run_pack,
    )  # what the other commands do not need is not loaded for them

    options = Options(
        pack, out, database, as_of, decide_only, None if letters == "all" else int(letters), key_file
    )
    with _ProgressBar(3 if decide_only else STAGES) as progress:
        done = run_pack(options, progress)
    from webapp.closing_page import closing_page

    click.echo(closing_page(done))
    return 1 if done.summary["refused_cells"] else 0


class _ProgressBar:
    """A bar on a terminal, and nothing elsewhere."""

    def __init__(self, stages: int) -> None:
        self._bar = click.progressbar(
            length=stages, file=sys.stderr, item_show_func=lambda item: item, hidden=not sys.stderr.isatty()
        )

    def __enter__(self) -> Callable[[str, str], None]:
        self._bar.__enter__()
        return lambda zh, en: self._bar.update(1, f"{zh} / {en}")

    def __exit__(self, *error: Any) -> None:
        self._bar.__exit__(*error)


@cli.command(short_help="检查环境和数据库 / check the installation and a database")
@database_option
@key_file_option
def doctor(database: str | None, key_file: Path | None) -> int:
    """检查本机环境和数据库 / check this installation, and a database if one is named."""
    from webapp.doctor import examine

    findings = examine(database, key_file)
    for finding in findings:
        click.echo(f"{'✓' if finding.well else '✗'} {finding.zh} / {finding.en}")
    bad = sum(not finding.well for finding in findings)
    click.echo(f"问题 {bad} 项 / {bad} problems" if bad else "一切正常 / all is well")
    return 1 if bad else 0


cli.add_command(cli_serve.serve)
cli.add_command(cli_serve.worker)
cli.add_command(cli_claims.claims)
cli.add_command(cli_users.users)
cli.add_command(cli_trail.trail)
cli.add_command(cli_keys.keys)
cli.add_command(cli_retention.retention)
