"""People of head office to sign in as, for a demo alone: one for each role."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from office.membership import join
from office.models import OfficeRole
from stores import people
from stores.loading.demo_people import demo_password
from stores.models import Person

PEOPLE = {
    OfficeRole.CATALOGUE: ("sunli", "孙丽"),
    OfficeRole.NETWORK: ("zhoujun", "周军"),
    OfficeRole.SUPPORT: ("wuyan", "吴燕"),
    OfficeRole.AUDITOR: ("zhenghua", "郑华"),
}


@transaction.atomic
def add_people() -> int:
    """Let those of the sample sign in who cannot yet; return how many. Nobody where this is no demo."""
    if not settings.DEMO:
        return 0
    known = set(Person.objects.values_list("username", flat=True))
    missing = {role: who for role, who in PEOPLE.items() if who[0] not in known}
    for role, (username, name) in missing.items():
        person, _password = people.add_person(username, name, password=demo_password(username))
        join(person, role)
    return len(missing)


def sign_ins() -> list[tuple[str, str, str]]:
    """Return role, username and first password of those of the demo, as the terminal shows them."""
    there = set(Person.objects.filter(is_active=True).values_list("username", flat=True)) if settings.DEMO else set()
    return [
        (role.value, username, demo_password(username))
        for role, (username, _name) in PEOPLE.items()
        if username in there
    ]
