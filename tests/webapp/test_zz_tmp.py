import pytest
def test_x(web):
    c=web.sign_in("AUDITOR")
    for p in ("/claims/%00","/payments/%00","/staff/%00","/packs/%00","/people/%00", "/claims/%ff"):
        print(p, c.get(p).status_code)
