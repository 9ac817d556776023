"""The home page: what waits for the person who is signed in, by role, each number a link to where it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from flask import Blueprint, g, render_template, url_for
from sqlalchemy.orm import Session

from claims.queries.listing import Filters, ListedClaim, page_of_claims
from claims.queries.owed import OwedFilters, totals_of_owed
from claims.services.owed import MAY_OPEN
from claims.terms import OUTCOME_NAMES, REASON_NAMES
from foundation.actors import Actor, Role
from foundation.clock import business_day
from foundation.privacy.assessments import due
from foundation.web.acting import now, reading, sealer
from foundation.web.language import _, pick
from households.queries.feed_uploads import SENDERS, feed_states, layouts_of, open_uploads
from households.queries.recognition import counted
from households.queries.warnings import open_cases
from households.services.recognition import DECIDERS as RECOGNITION_DECIDERS
from households.services.recognition_reviews import REVIEWERS
from households.services.warnings import CHANNELS_OF
from policies.queries import standards_waiting, years_due
from policies.services import DECIDERS, PROPOSERS
from webapp import queries
from webapp.rights import may_open
from webapp.trail_queries import last_check
from webapp.views import money_text

blueprint = Blueprint("home", __name__)

_FINANCE = {Role.FIN_MAKER, Role.FIN_CHECKER, Role.FIN_RELEASER, Role.RECON}
_CASES = {
    Role.VILLAGE_OFFICER,
    Role.TOWN_REVIEWER,
    Role.CENTER_CERTIFIER,
    Role.CENTER_LEAD,
    Role.CLAIM_OFFICER,
    Role.ADJUDICATOR,
    Role.ADJ_SENIOR,
    Role.AUDITOR,
}
_OLDEST = 10
_TOTALS = {Role.LEADING_GROUP, Role.CENTER_LEAD, Role.AUDITOR}


@dataclass(frozen=True, slots=True)
class Card:
    """One number: what, how many, a note, and where it is done. `url` may be empty."""

    title: str
    value: str
    note: str
    url: str = ""


@blueprint.get("/")
def home() -> str:
    """What waits for me."""
    actor: Actor | None = g.actor
    if actor is None:
        return render_template("home/home.html", alerts=[], cards=[], towns=[], oldest=[])
    with reading() as session:
        alerts = _alerts(session, actor)
        cards = [astuple(card) for part in _PARTS for card in part(session, actor)]
        towns = queries.determined_by_town(session, actor.place) if actor.role in _TOTALS else []
        oldest = _oldest(session, actor)
    return render_template(
        "home/home.html",
        alerts=alerts,
        cards=cards,
        towns=towns,
        oldest=oldest,
        outcome_name=lambda outcome: pick(*OUTCOME_NAMES[outcome]),
        reason_name=lambda code: pick(*REASON_NAMES[code]),
    )


def _alerts(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """What must be looked at before all else: (text, address). A fault in the trail, for those who watch over it."""
    if not may_open(actor, "trail.listed"):
        return []
    check = last_check(session)
    if check is None or check.well:
        return []
    return [(_("最近一次验证发现审计链有误,请立即查看"), url_for("trail.listed"))]


def _oldest(session: Session, actor: Actor) -> Sequence[ListedClaim]:
    """The claims under review that wait longest: where to begin on a Monday morning."""
    if actor.role not in _CASES:
        return []
    waiting = Filters(state="review")
    page = page_of_claims(
        session, sealer(), actor, waiting, "notified", descending=False, cursor=None, size=_OLDEST
    )
    return page.rows


def _claims(session: Session, actor: Actor) -> list[Card]:
    if actor.role not in _CASES:
        return []
    by_outcome = queries.claims_by_outcome(session, actor.place)
    titles = {
        "approve": (_("待核定·拟给付"), _("核定后即可付款")),
        "reject": (_("待核定·拟拒赔"), _("须书面说明理由")),
        "refer": (_("待核实"), _("请理赔员核实疑点")),
        "supplement": (_("待补正"), _("请通知申请人补充材料")),
    }
    cards = []
    for outcome, (title, note) in titles.items():
        tally = by_outcome.get(outcome, queries.Tally(0))
        if outcome == "approve" and tally.total_fen:
            note = _("合计 %(sum)s 元", sum=money_text(tally.total_fen))
        cards.append(
            Card(title, str(tally.count), note, url_for("claims.listed", state="review", outcome=outcome))
        )
    count = queries.reviews(session, actor.place)
    cards.append(
        Card(_("待复查"), str(count), _("后来的数据与核定结果不一致"), url_for("claims.listed", review="1"))
    )
    return cards


def _warnings(session: Session, actor: Actor) -> list[Card]:
    if actor.role not in CHANNELS_OF and actor.role is not Role.CENTER_LEAD:
        return []
    standing = open_cases(session, actor.place)
    note = _("其中 %(count)s 件只有镇村上报", count=standing.told_by_people)
    if standing.amount_fen:
        note = _("家庭负担合计 %(sum)s 元", sum=money_text(standing.amount_fen))
    return [Card(_("待处理预警"), str(standing.count), note, url_for("warnings.listed", state="open"))]


def _owed(session: Session, actor: Actor) -> list[Card]:
    if actor.role not in MAY_OPEN:
        return []
    totals = totals_of_owed(session, actor, OwedFilters(), business_day(now()))
    people = _("%(count)s 人", count=totals.people)
    note = _("合计 %(sum)s 元", sum=money_text(totals.payable_fen))
    return [Card(_("应赔未赔"), people, note, url_for("owed.listed"))]


def _packs(session: Session, actor: Actor) -> list[Card]:
    if actor.role not in (Role.CLAIM_OFFICER, Role.CENTER_CERTIFIER):
        return []
    count = queries.uploads_open(session)
    return [Card(_("待入库县包"), str(count), _("检查完毕,等待入库或作废"), url_for("packs.listed"))]


def _money(session: Session, actor: Actor) -> list[Card]:
    if actor.role not in _FINANCE:
        return []
    payables = queries.payables_by_state(session)
    batches = queries.batches_by_state(session)
    url = url_for("payments.batches")
    pending = payables.get("pending", queries.Tally(0))
    withheld = payables.get("withheld", queries.Tally(0))
    rows = [
        (_("待组批应付款"), pending, _("合计 %(sum)s 元", sum=money_text(pending.total_fen))),
        (_("暂缓付款"), withheld, _("合计 %(sum)s 元", sum=money_text(withheld.total_fen))),
        (_("待复核批次"), batches.get("made", queries.Tally(0)), _("须由制单人以外的人复核")),
        (_("待授权批次"), batches.get("checked", queries.Tally(0)), _("须由第三人授权")),
        (_("已导出批次"), batches.get("exported", queries.Tally(0)), _("银行文件可以下载")),
    ]
    return [Card(title, str(tally.count), note, url) for title, tally, note in rows]


def _staff(session: Session, actor: Actor) -> list[Card]:
    if actor.role is not Role.SEC_ADMIN:
        return []
    count = queries.grants_asked(session, actor)
    return [
        Card(
            _("待审批的岗位与限额"), str(count), _("须由申请人与受益人以外的人审批"), url_for("staff.waiting")
        )
    ]


def _assessments(session: Session, actor: Actor) -> list[Card]:
    if actor.role is not Role.SEC_ADMIN:
        return []
    count = len(due(session, business_day(now())))
    return [Card(_("到期的影响评估"), str(count), _("从未评估或已满一年"), url_for("assessments.listed"))]


def _standards(session: Session, actor: Actor) -> list[Card]:
    if actor.role not in (*PROPOSERS, *DECIDERS):
        return []
    count, due_years = standards_waiting(session), years_due(session, business_day(now()))
    note = _("须由提出人以外的人批准")
    if due_years:
        note = _("%(year)s 年还没有执行中的标准,须按年调整", year=due_years[0])
    return [Card(_("待批准的标准"), str(count), note, url_for("standards.listed"))]


def _feeds(session: Session, actor: Actor) -> list[Card]:
    if actor.role not in (Role.DEPARTMENT, Role.CENTER_CERTIFIER, Role.CENTER_LEAD):
        return []
    url = url_for("feeds.listed")
    layouts = layouts_of(actor)
    late = [one for one in feed_states(session, layouts, business_day(now())) if one.late_days]
    late.sort(key=lambda one: -one.late_days)
    note = _("没有逾期未报的数据")
    if late:
        title = pick(*late[0].layout.title)
        note = _("最久的是%(title)s,逾期 %(count)s 天", title=title, count=late[0].late_days)
    cards = [Card(_("逾期未报的数据"), str(len(late)), note, url)]
    if actor.role in SENDERS:
        waiting = open_uploads(session, [layout.feed for layout in layouts])
        ready = sum(upload.state == "ready" for upload in waiting)
        cards.append(Card(_("待入库的部门文件"), str(ready), _("检查完毕,等待入库或作废"), url))
    return cards


def _jobs(session: Session, actor: Actor) -> list[Card]:
    if actor.role is not Role.SYS_ADMIN:
        return []
    states = queries.jobs_by_state(session)
    url = url_for("jobs.listed")
    return [
        Card(_("失败的后台任务"), str(states.get("failed", 0)), _("系统会自动重试,也可手动重试"), url),
        Card(_("排队与进行中"), str(states.get("waiting", 0) + states.get("running", 0)), "", url),
    ]


def _totals(session: Session, actor: Actor) -> list[Card]:
    if actor.role not in _TOTALS:
        return []
    towns = queries.determined_by_town(session, actor.place)
    count, total = sum(t.count for _name, t in towns), sum(t.total_fen for _name, t in towns)
    return [
        Card(_("参保人数"), str(queries.insured(session, actor.place)), _("本辖区在保人员")),
        Card(_("核定给付"), str(count), _("件")),
        Card(_("核定金额"), money_text(total), _("元")),
    ]


def _recognitions(session: Session, actor: Actor) -> list[Card]:
    if actor.role not in (*REVIEWERS, *RECOGNITION_DECIDERS):
        return []
    counts = counted(session, actor, business_day(now()))
    overdue = url_for("recognitions.listed", standing="overdue")
    cards = [Card(_("逾期的半年复核"), str(counts["overdue"]), _("帮扶户每半年复核一次"), overdue)]
    if actor.role in RECOGNITION_DECIDERS:
        waiting = url_for("recognitions.listed", standing="proposed")
        cards.append(Card(_("待认定"), str(counts["proposed"]), _("须由提出人以外的人认定"), waiting))
    return cards


_PARTS = (
    _totals,
    _warnings,
    _owed,
    _recognitions,
    _claims,
    _packs,
    _money,
    _staff,
    _assessments,
    _standards,
    _feeds,
    _jobs,
)
