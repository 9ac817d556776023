"""The one-page summary that the main job ends with on the terminal."""

from __future__ import annotations

from claims.pack import ignored_files
from webapp.run import Run

_LINES = {
    "illness": "因病 illness",
    "education": "因学 education",
    "accident": "因意外 accident",
    "income": "收入 income",
}


def closing_page(run: Run) -> str:
    """The summary in both languages: people, claims by line and outcome, money, files, and where they lie."""
    summary, out = run.summary, run.options.out
    outcomes = ("approve", "reject", "refer", "supplement")
    rows = [
        f"{'':14}"
        + "".join(f"{name:>12}" for name in ("给付 approve", "拒赔 reject", "核实 refer", "补正 suppl."))
    ]
    for line, counts in summary["lines"].items():
        rows.append(f"{_LINES[line]:14}" + "".join(f"{counts.get(name, 0):>14}" for name in outcomes))
    taken_in = run.taken_in
    if taken_in is not None and taken_in.unchanged:
        state = "与上次相同的县包,数据库未变 / the same pack as last time: nothing was changed"
    elif taken_in is not None:
        state = (
            f"入库新增 {taken_in.rows_added} 行,变更 {taken_in.rows_changed} 行,复查 {taken_in.reviews} 件 / "
            f"{taken_in.rows_added} rows added, {taken_in.rows_changed} changed, {taken_in.reviews} reviews opened"
        )
    else:
        state = ""
    lines = [
        f"{summary['policy']['number']}  参保 {summary['people']} 人 / people insured",
        f"案件 {summary['claims']} 件 / claims, 退回单元格 {summary['refused_cells']} / refused cells",
        state,
        *rows,
        f"应予给付 {summary['approved_people']} 人 {summary['approved_yuan']} 元 / people approved, yuan",
    ]
    if summary["determined_yuan"] != summary["approved_yuan"] and summary["determined"]:
        lines.append(f"数据库已核定 {summary['determined_yuan']} 元 / yuan determined in the database")
    if summary["reviews_open"]:
        lines.append(f"待复查 {summary['reviews_open']} 件 / determined claims to be reviewed")
    if summary["absent_feeds"]:
        lines.append(f"缺部门数据 / feeds absent: {', '.join(summary['absent_feeds'])}")
    if summary["ignored_files"]:
        lines.append(f"未读取的文件 / files not read: {', '.join(ignored_files(run.options.pack))}")
    for batch in summary["batches"]:
        lines.append(
            f"批次 {batch['message_id']}:{batch['payments']} 笔 {batch['total_yuan']} 元 / payments, yuan"
            f" ({batch['state']})"
        )
        for code, count in batch["warnings"].items():
            lines.append(f"  请复核人留意 {count} 笔 / for the checker: {code}")
    for code, count in summary["withheld"].items():
        lines.append(f"未能付款 {count} 笔 / payments withheld: {code}")
    lines.append(f"审计链 {summary['trail']['events']} 条 / events, root {summary['trail']['root'][:16]}…")
    lines.append(f"用时 {sum(summary['seconds'].values()):.1f} 秒 / seconds")
    lines.append(f"结果 / results: {out}")
    return "\n".join(line for line in lines if line)
