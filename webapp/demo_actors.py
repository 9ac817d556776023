"""The five fixed people of the demo, and the system itself.

`fangpin run` acts through them: one recommends, another determines, three others make, check and release. In an
installation these are accounts with persons behind them.
"""

from __future__ import annotations

from foundation.actors import Actor, Role

COUNTY = "370323"

SYSTEM = Actor("system", "system", Role.SYSTEM, COUNTY, "系统")
RECOMMENDER = Actor("demo-person-1", "demo-officer", Role.CLAIM_OFFICER, COUNTY, "演示理赔员")
DETERMINER = Actor("demo-person-2", "demo-adjudicator", Role.ADJUDICATOR, COUNTY, "演示核赔人")
MAKER = Actor("demo-person-3", "demo-maker", Role.FIN_MAKER, COUNTY, "演示制单员")
CHECKER = Actor("demo-person-4", "demo-checker", Role.FIN_CHECKER, COUNTY, "演示复核员")
RELEASER = Actor("demo-person-5", "demo-releaser", Role.FIN_RELEASER, COUNTY, "演示授权人")

NAMES = {actor.person: actor.name for actor in (SYSTEM, RECOMMENDER, DETERMINER, MAKER, CHECKER, RELEASER)}
"""Names of the demo's people by person; documents print them."""
