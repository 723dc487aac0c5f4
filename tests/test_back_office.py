"""The back office: lists that stay quick, forms that keep the rules, and what becomes of what they save."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from catalog.catalogue import current_catalogue, forget_catalogue
from catalog.models import Brand, Phone
from office.back_office.base import ShortPaginator, is_named
from office.models import OfficeRole, TrailEntry
from orders.closing import orders_at_stake
from orders.models import Order, State
from partners.models import ApiKey, Partner
from stores import outlets
from stores.models import Assignment, Outlet, Person, Region, Timetable
from stores.search import find_places, index_places
from tests.desk import create_person
from tests.factories import SPECIFICATIONS, create_brand, create_outlet, create_phone, create_region, create_timetable
from tests.office import office_client
from tests.order_factories import create_order, create_shelf

LISTS = [
    ("catalog/brand", OfficeRole.CATALOGUE, 5),
    ("catalog/tier", OfficeRole.CATALOGUE, 5),
    ("catalog/phone", OfficeRole.CATALOGUE, 7),
    ("stores/region", OfficeRole.NETWORK, 5),
    ("stores/timetable", OfficeRole.NETWORK, 5),
    ("stores/outlet", OfficeRole.NETWORK, 5),
    ("stores/person", OfficeRole.NETWORK, 5),
    ("partners/partner", OfficeRole.SUPPORT, 5),
    ("partners/apikey", OfficeRole.SUPPORT, 5),
]


def fill(times: int) -> None:
    for _ in range(times):
        create_outlet()
        create_phone()
        person = create_person()
        partner = Partner.objects.create(name=f"Partner {person.pk}")
        ApiKey.objects.create(
            partner=partner, prefix=f"{person.pk:012d}", secret_hash="0" * 64, scopes=["catalog:read"]
        )


@pytest.mark.parametrize(("path", "role", "queries"), LISTS)
def test_a_list_costs_the_same_whatever_is_in_it(
    db: None,
    held_memory: Callable[[], object],
    django_assert_max_num_queries: Callable[..., Any],
    path: str,
    role: OfficeRole,
    queries: int,
) -> None:
    client = office_client(role)
    for _ in range(2):
        fill(3)
        client.get(f"/admin/{path}/")
        # Otherwise a slow machine looks the catalogue's version up once more in between.
        held_memory()
        with django_assert_max_num_queries(queries):
            assert client.get(f"/admin/{path}/").status_code == 200


def test_a_list_counts_no_further_than_anybody_pages(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShortPaginator, "MOST", 5)
    for _ in range(7):
        create_brand()

    assert ShortPaginator(Brand.objects.all(), 2).count == 5


def test_a_name_that_was_changed_is_what_the_shop_says(db: None) -> None:
    brand = create_brand()
    create_phone(brand=brand)
    client = office_client(OfficeRole.CATALOGUE)
    address = f"/admin/catalog/brand/{brand.pk}/change/"
    before = current_catalogue().edition.version

    answer = client.post(address, {"slug": brand.slug, "name_zh": "新牌", "name_en": "New brand"})

    assert answer.status_code == 302
    forget_catalogue()
    assert current_catalogue().edition.version > before
    assert current_catalogue().brands[0].name_en == "New brand"
    entry = TrailEntry.objects.filter(thing="catalog_brand").first()
    assert entry
    assert entry.actor.startswith("person:")
    assert entry.changes["name_en"] == [brand.name_en, "New brand"]


def test_what_the_books_name_is_not_removed(db: None) -> None:
    named, unnamed = create_phone().brand, create_brand()
    client = office_client(OfficeRole.CATALOGUE)

    assert client.post(f"/admin/catalog/brand/{named.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/catalog/brand/{unnamed.pk}/delete/", {"post": "yes"}).status_code == 302

    assert list(Brand.objects.all()) == [named]
    assert is_named(named)
    assert client.post(f"/admin/catalog/phone/{Phone.objects.get().pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_phone_that_cannot_be_is_refused_in_words(db: None) -> None:
    phone = create_phone()
    client = office_client(OfficeRole.CATALOGUE)
    form = client.get(f"/admin/catalog/phone/{phone.pk}/change/").context["adminform"].form
    sent = {name: form[name].value() for name in form.fields} | inlines("colours", "preinstalled_apps")
    sent |= {"network_modes": "GSM", "network_bands": "800 MHz", "box_zh": "手机", "box_en": "phone"}
    sent |= {"mark": "illustrative", "dual_sim": "on", "weight_g": "5"}

    answer = client.post(f"/en/admin/catalog/phone/{phone.pk}/change/", sent)

    assert answer.status_code == 200
    assert "The weight cannot be right." in answer.text


def new_phone(**values: str) -> dict[str, str]:
    """What is typed to add a phone: the values of another one under a new name, a colour, a price."""
    like = create_phone(slug="like-this")
    values_of = {name: str(getattr(like, name)) for name in SPECIFICATIONS if name not in TEXTS_OF_LINES}
    usual = values_of | inlines("colours", "preinstalled_apps") | {
        "slug": "uniscope-y999", "position": "99", "brand": str(like.brand_id), "tier": str(like.tier_id),
        "model": "Y999", "name_zh": "优思 Y999", "name_en": "Uniscope Y999", "dual_sim": "on",
        "description_zh": "新手机", "description_en": "A new phone", "price_in_yuan": "399", "mark": "illustrative",
        "network_modes": "GSM\r\n\r\nCDMA, 2000 ", "network_bands": "800 MHz",
        "box_zh": "手机\n电池", "box_en": "phone",
        "colours-TOTAL_FORMS": "1", "colours-0-position": "1", "colours-0-name_zh": "红色",
        "colours-0-name_en": "red", "colours-0-rgb": "#ab1200",
    }  # fmt: skip
    return usual | values


TEXTS_OF_LINES = ("network_modes", "network_bands", "box_zh", "box_en")


@pytest.mark.django_db
def test_a_new_phone_comes_with_its_price_and_is_in_the_shop_at_once() -> None:
    client = office_client(OfficeRole.CATALOGUE)
    assert client.get("/en/admin/catalog/phone/add/").status_code == 200

    answer = client.post("/en/admin/catalog/phone/add/", new_phone())

    assert answer.status_code == 302, answer.text
    phone = Phone.objects.get(slug="uniscope-y999")
    assert phone.network_modes == ["GSM", "CDMA, 2000"]
    assert (phone.price_fen, phone.colours.get().rgb) == (39900, "#AB1200")
    assert set(phone.provenance.values()) == {"illustrative"}
    assert {"tier", "weight_g", "box_zh", "colours"} <= set(phone.provenance)
    forget_catalogue()
    assert "优思 Y999" in Client().get("/phones/").text
    assert "399" in Client().get("/phones/uniscope-y999/").text

    form = client.get(f"/admin/catalog/phone/{phone.pk}/change/").context["adminform"].form
    sent = {name: form[name].value() for name in form.fields} | {"dual_sim": "on", "weight_g": "151"}
    sent |= {name: "\r\n".join(getattr(phone, name)) for name in TEXTS_OF_LINES} | inlines(
        "colours", "preinstalled_apps"
    )
    sent |= {"colours-TOTAL_FORMS": "1", "colours-INITIAL_FORMS": "1", "colours-0-id": phone.colours.get().pk}
    sent |= {"colours-0-phone": phone.pk, "colours-0-position": 1, "colours-0-name_zh": "红", "colours-0-name_en": "r"}
    sent |= {"colours-0-rgb": "#AB1200", "mark": ""}
    del sent["is_discontinued"]
    unsaid = client.post(f"/en/admin/catalog/phone/{phone.pk}/change/", sent)
    assert "Please say where these values come from." in unsaid.text
    changed = client.post(f"/en/admin/catalog/phone/{phone.pk}/change/", sent | {"mark": "reported"})
    assert changed.status_code == 302, changed.context["errors"]
    phone.refresh_from_db()
    # What was not changed keeps its mark.
    assert [name for name, mark in phone.provenance.items() if mark == "reported"] == ["weight_g"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"mark": ""}, "Please say where these values come from."),
        ({"price_in_yuan": ""}, "This field is required."),
        ({"slug": "Y_999"}, "Small letters from a to z, digits and hyphens only."),
        ({"slug": "like-this"}, "already exists"),
        ({"network_modes": "\n"}, "This field is required."),
        ({"colours-0-rgb": "red"}, "A colour is written as #RRGGBB."),
        ({"colours-TOTAL_FORMS": "0"}, "Please submit at least 1 form."),
    ],
)
def test_a_new_phone_with_something_missing_is_refused_where_it_is_missing(
    db: None, values: dict[str, str], says: str
) -> None:
    answer = office_client(OfficeRole.CATALOGUE).post("/en/admin/catalog/phone/add/", new_phone(**values))

    assert answer.status_code == 200
    assert says in answer.text
    assert not Phone.objects.filter(model="Y999").exists()


def inlines(*names: str, **values: str) -> dict[str, str]:
    totals = {f"{name}-{part}": "0" for name in names for part in ("TOTAL_FORMS", "INITIAL_FORMS")}
    return totals | values


OUTLET = {
    "code": "130121100-07",
    "town": "130121100",
    "name_zh": "新店",
    "name_en": "New store",
    "address_zh": "某村",
    "address_en": "Some village",
    "telephone": "",
    "latitude": "38.03",
    "longitude": "114.14",
    "coordinate_source": "town",
    "coordinate_accuracy_km": "2",
    "state": "open",
}


def test_a_new_outlet_is_found_after_the_worker_came_by(db: None) -> None:
    create_region("130121100", name_zh="某镇")
    client = office_client(OfficeRole.NETWORK)
    sent = OUTLET | inlines("closed_periods") | {"timetable": str(create_timetable().pk)}

    assert client.post("/admin/stores/outlet/add/", sent).status_code == 302
    outlets.follow_changes()

    assert Outlet.objects.get(code=OUTLET["code"]).is_open
    assert Region.objects.get(pk="130121").outlet_count == 1
    assert "新店" in client.get("/admin/stores/outlet/?q=新店").text


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"code": "130121999-01"}, "must begin with the code of its town, 130121100"),
        ({"code": "130121100-1"}, "A code is nine digits"),
        ({"latitude": "91"}, "There is no such latitude and longitude."),
        ({"town": "130121"}, "An outlet is in a town."),
        ({"state": "closed"}, "closed is not one of the available choices"),
    ],
)
def test_an_outlet_that_cannot_be_is_refused_in_words(db: None, wrong: dict[str, str], says: str) -> None:
    create_region("130121100")
    client = office_client(OfficeRole.NETWORK)
    sent = OUTLET | wrong | inlines("closed_periods") | {"timetable": str(create_timetable().pk)}

    answer = client.post("/en/admin/stores/outlet/add/", sent)

    assert answer.status_code == 200
    assert says in answer.text
    assert not Outlet.objects.exists()


def test_outlets_are_found_as_customers_find_them(db: None) -> None:
    here = create_outlet(code="130121100-01", town=create_region("130121100"), name_zh="丰宁店", name_en="Fengning")
    create_outlet(town=create_region("130921100"))
    index_places()
    client = office_client(OfficeRole.NETWORK)

    for asked in ("130121", "丰宁", "fengning", here.code):
        found = client.get(f"/admin/stores/outlet/?q={asked}").context["cl"].result_list
        assert [outlet.code for outlet in found] == [here.code], asked


RENAMED = {"name_zh": "丰安县", "name_en": "Feng'an", "name_pinyin": "Feng'an Xian", "pinyin_initials": "fa"}


def test_the_name_of_a_region_is_corrected_and_found_and_the_trail_says_who_did_it(db: None) -> None:
    create_outlet(code="130121100-01", town=create_region("130121100"))
    index_places()
    client = office_client(OfficeRole.NETWORK)
    before = Region.objects.values("code", "level", "parent", "outlet_count", "latitude").get(pk="130121")

    sent = RENAMED | {"code": "999999", "level": "1", "parent": "", "outlet_count": "9"}
    assert client.post("/admin/stores/region/130121/change/", sent).status_code == 302
    assert [job.func() for job in OrmQ.objects.all()] == ["stores.search.index_places"]
    index_places()

    region = Region.objects.get(pk="130121")
    assert {name: getattr(region, name) for name in RENAMED} == RENAMED
    assert Region.objects.values(*before).get(pk="130121") == before
    assert [hit.code for hit in find_places("fengan")] == ["130121", "130121100"]
    assert [hit.code for hit in find_places("丰安地")] == ["130121100"]
    assert "丰安县" in client.get("/regions/130121/").text
    entry = TrailEntry.objects.filter(thing="stores_region").latest("pk")
    assert entry.actor.startswith("person:")
    assert entry.changes["name_zh"] == ["地130121", "丰安县"]
    assert client.get("/admin/stores/region/add/").status_code == 403


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name_pinyin": ""}, "This field is required."),
        ({"name_zh": " "}, "This field is required."),
        ({"pinyin_initials": "F1"}, "Initials are small letters from a to z."),
        ({"name_zh": "县" * 41}, "Ensure this value has at most 40 characters"),
    ],
)
def test_a_region_keeps_names_to_find_it_by(db: None, wrong: dict[str, str], says: str) -> None:
    create_region("130121")
    answer = office_client(OfficeRole.NETWORK).post("/en/admin/stores/region/130121/change/", RENAMED | wrong)

    assert answer.status_code == 200
    assert says in answer.text
    assert not Region.objects.filter(name_zh=RENAMED["name_zh"]).exists()


@pytest.mark.parametrize(
    ("rule", "names"),
    [("region_has_its_pinyin", {"name_pinyin": " Di"}), ("region_initials_are_small_letters", {"pinyin_initials": ""})],
)
def test_the_database_keeps_regions_that_can_be_found(db: None, rule: str, names: dict[str, str]) -> None:
    create_region("130121")
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Region.objects.update(**names)


class TestClosing:
    def form(self, outlet: Outlet, state: str = "closed", **values: str) -> dict[str, str]:
        shown = " ".join(order.number for order in orders_at_stake(outlet))
        return {"state": state, "reason": "房租到期", "shown": shown} | values

    def test_open_orders_are_shown_before_with_customers_masked(self, db: None) -> None:
        order = create_order(create_shelf(on_hand=3))
        page = office_client(OfficeRole.NETWORK).get(f"/en/admin/outlets/{order.outlet.code}/state/").text

        assert "Open orders: 1" in page
        assert order.masked_mobile in page
        assert order.mobile.removeprefix("+86") not in page

    @pytest.mark.parametrize("state", ["suspended", "closed"])
    def test_they_are_declined_given_back_and_told(self, db: None, state: str) -> None:
        shelf = create_shelf(on_hand=3)
        placed, ready = create_order(shelf, 1), create_order(shelf, 1, state="ready")
        client = office_client(OfficeRole.NETWORK)

        answer = client.post(f"/admin/outlets/{shelf.outlet.code}/state/", self.form(shelf.outlet, state))

        assert answer.status_code == 302
        shelf.refresh_from_db()
        assert (shelf.on_hand, shelf.reserved) == (3, 0)
        for order in (placed, ready):
            order = Order.objects.numbered(order.number).get()
            assert order.state == State.DECLINED
            assert order.messages.filter(kind="declined").exists()
            change = order.history.latest("seq")
            assert change.actor.startswith("person:")
            assert change.reason == "房租到期"
        assert Outlet.objects.get(pk=shelf.outlet_id).state == state
        assert TrailEntry.objects.filter(thing="stores_outlet").first().changes == {"state": ["open", state]}

    def test_an_order_that_came_meanwhile_stops_it(self, db: None) -> None:
        shelf = create_shelf(on_hand=3)
        sent = self.form(shelf.outlet)
        order = create_order(shelf)

        answer = office_client(OfficeRole.NETWORK).post(f"/en/admin/outlets/{shelf.outlet.code}/state/", sent)

        assert "have changed meanwhile" in answer.text
        assert Outlet.objects.get(pk=shelf.outlet_id).is_open
        assert Order.objects.numbered(order.number).get().is_open

    def test_opening_again_leaves_orders_alone(self, db: None) -> None:
        outlet = create_outlet(state="suspended")
        answer = office_client(OfficeRole.NETWORK).post(
            f"/admin/outlets/{outlet.code}/state/", self.form(outlet, "open")
        )

        assert answer.status_code == 302
        assert Outlet.objects.get().is_open

    def test_the_message_says_that_the_outlet_is_closed(self, db: None) -> None:
        from orders.messages.texts import render

        shelf = create_shelf(on_hand=3)
        order = create_order(shelf)
        office_client(OfficeRole.NETWORK).post(f"/admin/outlets/{shelf.outlet.code}/state/", self.form(shelf.outlet))

        text = render("declined", Order.objects.numbered(order.number).select_related("outlet").get())
        assert text.template == "declined_closed.zh-hans"
        assert "停业" in text.words


class TestPeople:
    def sent(self, **values: str) -> dict[str, str]:
        return {"username": "wang.fang", "name": "王芳", "is_active": "on", "new_mobile": ""} | values

    def test_a_new_person_gets_a_first_password_that_is_shown_once(self, db: None, client: Client) -> None:
        inside = inlines("assignments", "office_memberships")
        answer = office_client(OfficeRole.NETWORK).post(
            "/en/admin/stores/person/add/", self.sent(new_mobile="13800138000") | inside
        )

        person = Person.objects.get(username="wang.fang")
        password = answer.text.partition("<code>")[2].partition("</code>")[0]
        assert person.check_password(password)
        assert person.must_change_password
        assert person.mobile == "+8613800138000"

    def test_numbers_are_masked_and_found_as_a_whole(self, db: None) -> None:
        person = create_person(mobile="+8613800138000")
        client = office_client(OfficeRole.NETWORK)
        page = client.get("/admin/stores/person/?q=13800138000")

        assert [each.pk for each in page.context["cl"].result_list] == [person.pk]
        assert "138****8000" in page.text
        assert "+8613800138000" not in page.text + client.get(f"/admin/stores/person/{person.pk}/change/").text

    def test_somebody_works_at_an_outlet_once_a_day(self, db: None) -> None:
        person, outlet, today = create_person(), create_outlet(), timezone.localdate()
        rows = {
            f"assignments-{number}-{name}": value
            for number in (0, 1)
            for name, value in {
                "role": "clerk", "outlet": str(outlet.pk), "region": "", "starts_on": str(today), "ends_on": "",
            }.items()
        }  # fmt: skip
        inside = inlines("assignments", "office_memberships") | rows
        client, address = office_client(OfficeRole.NETWORK), f"/en/admin/stores/person/{person.pk}/change/"

        client.post(address, self.sent() | inside | {"assignments-TOTAL_FORMS": "1"})
        assert Assignment.objects.count() == 1
        answer = client.post(address, self.sent() | inside | {"assignments-TOTAL_FORMS": "1"})

        assert "works at this outlet on some of these days already" in answer.text
        assert Assignment.objects.count() == 1

    def test_nobody_gives_themselves_a_role(self, db: None) -> None:
        client = office_client(OfficeRole.NETWORK)
        person = Person.objects.get()
        inside = inlines("assignments", "office_memberships") | {
            "office_memberships-TOTAL_FORMS": "1", "office_memberships-0-role": "support",
        }  # fmt: skip
        client.post(f"/admin/stores/person/{person.pk}/change/", self.sent() | inside)

        assert [each.role for each in person.office_memberships.all()] == [OfficeRole.NETWORK]

    def test_who_forgot_a_password_gets_another(self, db: None) -> None:
        person = create_person()
        sent = {"action": "reset_password", "_selected_action": str(person.pk)}
        answer = office_client(OfficeRole.NETWORK).post("/admin/stores/person/", sent)

        person.refresh_from_db()
        assert person.check_password(answer.text.partition("<code>")[2].partition("</code>")[0])


class TestKeys:
    def sent(self, partner: Partner, **values: Any) -> dict[str, Any]:
        usual = {"partner": str(partner.pk), "scopes": ["catalog:read"], "calls_per_minute": "60"}
        return usual | {"outlets": "", "regions": "", "phones": ""} | values

    def test_a_key_is_shown_once(self, db: None) -> None:
        partner, client = Partner.objects.create(name="ERP"), office_client(OfficeRole.SUPPORT)
        answer = client.post("/admin/partners/apikey/add/", self.sent(partner))
        whole = answer.text.partition("<code>")[2].partition("</code>")[0]
        opened = Client().get("/api/v1/phones", headers={"Authorization": f"Bearer {whole}"})

        assert opened.status_code == 200
        key = ApiKey.objects.get()
        assert whole.split("_", 2)[2] not in client.get(f"/admin/partners/apikey/{key.pk}/change/").text
        assert whole.split("_", 2)[2] not in str(TrailEntry.objects.values_list("changes"))

    def test_a_reach_that_is_not_there_is_refused(self, db: None) -> None:
        sent = self.sent(Partner.objects.create(name="ERP"), outlets="999999999-99")
        answer = office_client(OfficeRole.SUPPORT).post("/en/admin/partners/apikey/add/", sent)

        assert "There is no outlet 999999999-99." in answer.text
        assert not ApiKey.objects.exists()

    def test_no_key_ends_behind_the_calendar(self, db: None) -> None:
        sent = self.sent(Partner.objects.create(name="ERP"), expires_at="9999-12-31")
        answer = office_client(OfficeRole.SUPPORT).post("/en/admin/partners/apikey/add/", sent)

        assert "Ensure this value is less than or equal to" in answer.text
        assert not ApiKey.objects.exists()

    def test_a_key_is_revoked_at_once_and_never_changed(self, db: None) -> None:
        client = office_client(OfficeRole.SUPPORT)
        client.post("/admin/partners/apikey/add/", self.sent(Partner.objects.create(name="ERP")))
        key = ApiKey.objects.get()
        client.post(f"/admin/partners/apikey/{key.pk}/change/", self.sent(key.partner, calls_per_minute="9999"))
        client.post("/admin/partners/apikey/", {"action": "revoke", "_selected_action": str(key.pk)})

        key.refresh_from_db()
        assert key.calls_per_minute == 60
        assert key.revoked_at


def test_a_timetable_closes_after_it_opens(db: None) -> None:
    timetable = Timetable.objects.create(slug="new", name_zh="新", name_en="New")
    rows = {"hours-0-weekday": "0", "hours-0-opens": "18:00", "hours-0-closes": "8:00", "hours-TOTAL_FORMS": "1"}
    answer = office_client(OfficeRole.NETWORK).post(
        f"/en/admin/stores/timetable/{timetable.pk}/change/",
        {"slug": "new", "name_zh": "新", "name_en": "New"} | inlines("hours") | rows,
    )

    assert "It closes before it opens." in answer.text


def test_the_trail_is_searched_by_who_and_what(db: None) -> None:
    brand, editor = create_brand(slug="abc"), office_client(OfficeRole.CATALOGUE)
    who = Person.objects.get()
    editor.post(f"/admin/catalog/brand/{brand.pk}/change/", {"slug": "abc", "name_zh": "新牌", "name_en": "New"})
    auditor = office_client(OfficeRole.AUDITOR)

    for query in (f"who={who.username}", "what=abc"):
        page = auditor.get(f"/en/admin/trail/?{query}").text
        assert "New" in page, query
    assert "New" not in auditor.get("/en/admin/trail/?who=nobody").text
    history = editor.get(f"/en/admin/catalog/brand/{brand.pk}/history/")
    assert "→ New" in editor.get(history["Location"]).text
    assert editor.get("/admin/trail/").status_code == 403
    assert editor.get(f"/admin/trail/stores_person/{who.pk}/").status_code == 403
    assert auditor.get("/admin/trail/orders_order/1/").status_code == 404


def test_the_trail_is_read_page_by_page(db: None) -> None:
    for _ in range(60):
        create_brand()
    auditor = office_client(OfficeRole.AUDITOR)
    first = auditor.get("/admin/trail/")
    more = auditor.get(f"/admin/trail/?before={first.context['more']}")

    assert first.context["more"]
    assert {line.entry.pk for line in first.context["lines"]}.isdisjoint(
        {line.entry.pk for line in more.context["lines"]}
    )
    assert timezone.now() - first.context["lines"][0].entry.happened_at < timedelta(minutes=5)
