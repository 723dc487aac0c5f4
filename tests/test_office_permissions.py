"""Who may do what in head office: every address below /admin/ is tried by everybody and held against the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation

from office.access import MAY, WORDS, OfficeDeed, OfficeStanding
from office.doors import OfficeRule
from office.models import OfficeRole, OutletImport
from office.site import site
from partners.models import ApiKey, Partner
from stores import stock
from stores.models import HandsetNumber, Role, StockLevel
from tests.desk import create_person, sign_in
from tests.factories import act, create_unit
from tests.office import office_client, partner_client
from tests.order_factories import create_order, create_shelf

DOCS = settings.BASE_DIR / "docs" / "office.md"
BEGIN, END = "<!-- Written by the tests from here on. -->\n", "<!-- Until here. -->\n"


@dataclass(frozen=True)
class Door:
    """One address, and who may read it and send its form; None: nobody, whatever the role."""

    address: str
    reading: OfficeDeed | None
    writing: OfficeDeed | None


@pytest.fixture
def shelf(db: None) -> StockLevel:
    """An outlet with a phone, an order, a unit, a partner with a key: something for every address to be about."""
    shelf = create_shelf(on_hand=3)
    create_order(shelf)
    unit = create_unit()
    stock.receive(shelf.outlet_id, {shelf.phone_id: 1}, act(), {shelf.phone_id: [unit]})
    person = create_person(Role.CLERK, shelf.outlet)
    partner = Partner.objects.create(name="ERP")
    ApiKey.objects.create(partner=partner, prefix="a" * 12, secret_hash="0" * 64, scopes=["catalog:read"])
    OutletImport.objects.create(person=person, file_name="x.csv", content=b"x")
    return shelf


def own_pages() -> list[URLPattern]:
    """Return the addresses of head office's own pages, found where the site finds them."""
    [pages] = [found for found in _resolvers(get_resolver()) if found.namespace == "office"]
    return list(pages.url_patterns)


def _resolvers(resolver: URLResolver) -> Iterator[URLResolver]:
    yield resolver
    for inner in resolver.url_patterns:
        if isinstance(inner, URLResolver):
            yield from _resolvers(inner)


def own_doors(shelf: StockLevel) -> Iterator[Door]:
    order = shelf.outlet.orders.get()
    samples: dict[str, Any] = {
        "code": shelf.outlet.code, "slug": shelf.phone.slug, "thing": "stores_outlet", "key": shelf.outlet_id,
        "kind": "csv", "number": None,
    }  # fmt: skip
    numbers = dict.fromkeys(("order", "order_file", "show_customer"), order.number)
    numbers |= dict.fromkeys(("unit", "unit_file"), HandsetNumber.objects.get().number)
    for pattern in own_pages():
        rule = getattr(pattern.callback, "office_rule", None)
        assert isinstance(rule, OfficeRule), f"{pattern.name} goes through no door of office.doors"
        arguments = {name: samples[name] for name in pattern.pattern.converters}
        if "number" in arguments:
            arguments["number"] = numbers.get(str(pattern.name)) or OutletImport.objects.get().pk
        yield Door(reverse(f"office:{pattern.name}", kwargs=arguments), rule.reading, rule.writing)


def by_everybody() -> Any:
    """A request of somebody with every role."""
    return SimpleNamespace(standing=OfficeStanding(create_person(), frozenset(OfficeRole)))


def model_doors() -> Iterator[Door]:
    yield Door(reverse("admin:index"), OfficeDeed.READ, OfficeDeed.READ)
    for model, pages in site._registry.items():
        reading, writing = pages.reading, pages.writing
        names = {"changelist": (reading, reading), f"{model._meta.db_table}_export": (reading, reading)}
        names["add"] = (writing, writing) if pages.may_be_added else (None, None)
        for name, (read, write) in names.items():
            full = name if "_export" in name else f"{model._meta.app_label}_{model._meta.model_name}_{name}"
            yield Door(reverse(f"admin:{full}"), read, write)
        row = model._base_manager.first()
        if row is None:
            continue
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        # Some rows are never changed, whoever wants to: keys, and what was valid once.
        changing = writing if pages.has_change_permission(by_everybody(), row) else None
        yield Door(reverse(f"{page}_change", args=[row.pk]), reading, changing)
        removing = writing if pages.has_delete_permission(by_everybody(), row) else None
        yield Door(reverse(f"{page}_delete", args=[row.pk]), removing, removing)


def outcome(answer: HttpResponse) -> str:
    if answer.status_code == 302 and answer["Location"].startswith("/desk/sign-in/"):
        return "sign in"
    if answer.status_code == 403:
        return "not for you"
    assert answer.status_code < 500
    return "come in"


OUTSIDERS = {
    "nobody": lambda shelf: Client(),
    "partner": lambda shelf: partner_client(),
    "clerk": lambda shelf: sign_in(create_person(Role.CLERK, shelf.outlet)),
    "manager": lambda shelf: sign_in(create_person(Role.MANAGER, shelf.outlet)),
    "region_manager": lambda shelf: sign_in(create_person(Role.REGION_MANAGER)),
}


@pytest.mark.parametrize("who", OUTSIDERS)
def test_nobody_from_outside_comes_in(shelf: StockLevel, who: str) -> None:
    client = OUTSIDERS[who](shelf)
    for door in [*own_doors(shelf), *model_doors()]:
        for method in ("get", "post"):
            answer = getattr(client, method)(door.address)
            if answer.status_code == 405:
                continue
            if who in ("nobody", "partner"):
                assert outcome(answer) == "sign in", door
            else:
                assert answer.status_code == 404, door


@pytest.mark.parametrize("role", OfficeRole)
def test_every_door_opens_for_whom_the_table_says(shelf: StockLevel, role: OfficeRole) -> None:
    client = office_client(role)
    wrong = []
    for door in [*own_doors(shelf), *model_doors()]:
        for method, deed in (("get", door.reading), ("post", door.writing)):
            answer = getattr(client, method)(door.address)
            if answer.status_code in (404, 405):
                continue
            wanted = "come in" if deed and role in MAY[deed] else "not for you"
            if outcome(answer) != wanted:
                wrong.append(f"{method} {door.address}: {outcome(answer)}, not {wanted}")
    assert wrong == []


@pytest.mark.parametrize("role", OfficeRole)
def test_who_may_only_read_a_thing_changes_nothing_of_it(shelf: StockLevel, role: OfficeRole) -> None:
    client = office_client(role)
    for model, pages in site._registry.items():
        row = model._base_manager.first()
        if row is None or (pages.writing and role in MAY[pages.writing]):
            continue
        before = model._base_manager.filter(pk=row.pk).values().get()
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        answers = [client.post(reverse(f"{name}_change", args=[row.pk]), {"name": "x", "name_en": "x"})]
        for action in pages.actions or ():
            answers.append(client.post(reverse(f"{name}_changelist"), {"action": action, "_selected_action": row.pk}))
        assert model._base_manager.filter(pk=row.pk).values().get() == before, name
        assert answers[0].status_code == 403, name


def test_the_walk_goes_everywhere(shelf: StockLevel) -> None:
    addresses = {door.address for door in [*own_doors(shelf), *model_doors()]}

    assert len(addresses) >= 45
    for name in ("office:find", "office:trail", "office:imports", "admin:stores_outlet_changelist"):
        assert reverse(name) in addresses
    with pytest.raises(NoReverseMatch):
        reverse("admin:auth_user_changelist")


def test_the_docs_show_the_table(request: pytest.FixtureRequest) -> None:
    with translation.override("en"):
        table = "\n".join(table_of_deeds()) + "\n"
    before, _, rest = DOCS.read_text().partition(BEGIN)
    written, _, after = rest.partition(END)
    if request.config.getoption("--write-docs"):
        DOCS.write_text(before + BEGIN + table + END + after)
        return
    assert written == table, "write it anew: script/test tests/test_office_permissions.py --write-docs"


def table_of_deeds() -> list[str]:
    heads = " | ".join(str(role.label) for role in OfficeRole)
    rows = [
        f"| `{deed.name}` | {WORDS[deed]} | "
        + " | ".join("yes" if role in MAY[deed] else "" for role in OfficeRole)
        + " |"
        for deed in OfficeDeed
    ]
    return [f"| deed | in words | {heads} |", "| --- | --- | --- | --- | --- | --- |", *rows]
