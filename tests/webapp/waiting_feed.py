"""A department's file that was looked at and waits for a person, put straight into the database."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from foundation.actors import Actor, Role
from foundation.sealing import Sealer
from foundation.tables import RowError
from households.feed_preview import FeedPreview, Found, Shrunk, masked
from households.layouts import uploaded_layouts
from households.queries.feed_uploads import UploadedFile, upload_by_id
from households.services.feed_uploads import Sent, move, record_upload, sealed
from tests.staffing import id_number_of

AT = datetime(2021, 2, 20, 2, 0, tzinfo=UTC)
SENDER = Actor("person-m", "account-m", Role.DEPARTMENT, "370323", "医保", department="MEDINS")


def waiting_feed(session: Session, sealer: Sealer) -> str:
    """A full list of settlements, much shorter than the last one, with a cell that could not be read; its id."""
    layout = uploaded_layouts()["medical"]
    file = UploadedFile("medical.csv", 1000, "0" * 64)
    upload_id = record_upload(session, sealer, SENDER, AT, Sent(layout, "full", date(2021, 1, 31)), file)
    row = ("YB1", id_number_of("甲"), "王五", date(2021, 1, 5), 1_200_000, 700_000, 0, 0)
    found = Found(2, 1, 1, 9, 1, (masked(layout, row),), same_file=False, shrunk=Shrunk(10, 2))
    refused = (RowError("医保结算", "", 3, "医疗总费用", "amount"),)
    preview = sealed(sealer, upload_id, FeedPreview(refused=refused, found=found))
    move(session, upload_by_id(session, upload_id), AT, ("checking",), "ready", preview=preview)
    return upload_id
