"""One impact assessment for the demo, so that its page has something to read: what the program does and cannot do."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from foundation.actors import Actor, Assurance, Role
from foundation.clock import business_day
from foundation.privacy.assessments import Written, newest, record_assessment
from foundation.sealing import Sealer
from foundation.staff.models import Account
from foundation.web.language import typeset

SUBJECT = "sensitive_data"

_PURPOSE = """目的:核对参保和资格、审核并支付赔款、接受审计。
方式:县里报送名册、案件和部门数据;系统核对和计算,两人核定,三人付款。
合法性:县中心依法定职责核验;保险公司依保险合同或单独同意处理,告知同意书写明必要性和影响。
必要性:没有身份证号认不准人,没有账号付不了款,没有诊断和费用算不出应赔数额;不收其他敏感信息。"""
_RISKS = """一、泄露:身份证号和账号被冒用,病情被邻里知道。数据库、备份或导出文件落入他人之手是主要途径。
二、内部人员无故查看或批量带走。
三、错付:认错人、用错账号。
剩余风险:掌握密钥文件和数据库的人能解开全部数据;屏幕可以被拍照;纸质材料不在系统控制之内。"""
_MEASURES = """一、号码、账号、病情逐格加密存放,密钥在数据库之外,可以轮换;页面和清单只显示一部分。
二、完整查看须说明用途,每人每天有限次,逐次登记;导出登记、加水印,超过五千人须另一人批准。
三、每次变动记入审计链,链首印在报告上并锚定在库外,任何人可离线核验。
四、岗位、辖区和职责分离;付款前账号户名核对。
五、到期清除个人信息,保留金额和摘要。
落实条件:密钥文件与数据库分开备份;机房和终端由县里另行管理。"""


def ensure_demo_assessment(
    session: Session, sealer: Sealer, at: datetime, account: Account, place: str
) -> None:
    """Records the example where the subject was never assessed, as the demo's security administrator."""
    if SUBJECT in newest(session):
        return
    actor = Actor(account.staff_id, account.id, Role.SEC_ADMIN, place, "", Assurance.RUN_STANDS_IN)
    purpose, risks, measures = map(typeset, (_PURPOSE, _RISKS, _MEASURES))
    written = Written(business_day(at), purpose, risks, measures, "acceptable_with_measures")
    record_assessment(session, sealer, actor, at, SUBJECT, written)
