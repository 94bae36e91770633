"""An incident goes all the way: written on a phone without a network, sent, reviewed, seen."""

from playwright.sync_api import expect

from service.domain.access import Role
from tests.browser.conftest import PHONE, Complaints, Site, Visit
from tests.browser.desk import at_desk, confirm, notice
from tests.browser.report_form import NETWORK, added, finish, give_key, short, wait_ready


def test_from_a_phone_without_a_network_to_a_decision(
    visit: Visit, site: Site, complaints: Complaints
) -> None:
    complaints.expected = (NETWORK,)
    phone = visit("/report", viewport=PHONE, is_mobile=True, has_touch=True)
    wait_ready(phone)
    phone.context.set_offline(True)
    phone.reload()
    short(phone, "2022-08-19")
    finish(phone)
    with added(site) as found:
        assert found() == []
        phone.context.set_offline(False)
        give_key(phone, site.keys[Role.MONITOR])
        expect(phone.locator(".receipt")).to_have_count(1)
        [report] = found()
    assert report["when"] == "2022-08-19"

    desk = at_desk(visit, report["id"])
    desk.keyboard.press("n")
    desk.get_by_label("Reason", exact=True).focus()
    confirm(desk, "Nobody else was there.")
    notice(desk, "Decided: unverifiable.")
    reviewed = site.get(f"/v1/reports/{report['id']}", Role.REVIEWER)
    assert (reviewed["status"], reviewed["revision"]) == ("unverifiable", 2)
