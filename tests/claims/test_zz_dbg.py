from sqlalchemy import text
from tests.webapp.conftest import *
from tests.conftest import *
def test_x(county_postgres):
    from foundation.database import Database
    db=Database(county_postgres[0])
    with db.reading() as s:
        print(s.execute(text("select count(*) from claim")).scalar(), s.execute(text("select datcollate, datcollversion from pg_database")).all())
        print(s.execute(text("select '370323101' < '370323:', '370323101' < '370323:' collate \"C\"")).all())
        print(s.execute(text("select state,count(*) from claim group by 1")).all())
