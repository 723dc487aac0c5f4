"""People to sign in as, for a demo alone: a clerk, the one next door, their manager, and the manager of the region."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from stores import people
from stores.models import Outlet, Person, Region, Role

COUNTY, CITY = "130826", "130800"  # Fengning, in Chengde


@dataclass(frozen=True)
class DemoPerson:
    """Somebody of the sample, and where: at the first or second open outlet of the county, or in charge of a region."""

    username: str
    name: str
    role: Role
    outlets: tuple[int, ...] = ()

    @property
    def password(self) -> str:
        return demo_password(self.username)


def demo_password(username: str) -> str:
    """Return the same as long as the installation keeps its secret key, and another one in each installation."""
    return salted_hmac("password of the demo", username, algorithm="sha256").hexdigest()[:10]


PEOPLE = (
    DemoPerson("wangfang", "王芳", Role.CLERK, (0,)),
    DemoPerson("chenjie", "陈杰", Role.CLERK, (1,)),
    DemoPerson("liqiang", "李强", Role.MANAGER, (0, 1)),
    DemoPerson("zhaomin", "赵敏", Role.REGION_MANAGER),
)


def demo_outlets() -> list[Outlet]:
    """Return the two outlets where the people of the demo work, fewer where there are none such."""
    return list(Outlet.objects.open().with_prefix(COUNTY).order_by("code")[:2])


@transaction.atomic
def add_people() -> int:
    """Let those of the sample sign in who cannot yet; return how many. Nobody where this is no demo."""
    # Whoever knows the secret key knows these passwords.
    if not settings.DEMO:
        return 0
    known = set(Person.objects.values_list("username", flat=True))
    missing = [each for each in PEOPLE if each.username not in known]
    outlets = demo_outlets()
    if len(outlets) < 2:
        return 0
    for each in missing:
        person, _password = people.add_person(each.username, each.name, password=each.password)
        places: list[Outlet | Region] = [outlets[number] for number in each.outlets]
        places = places or [Region.objects.get(pk=CITY)]
        for place in places:
            people.assign(person, each.role, place)
    return len(missing)


def sign_ins() -> list[tuple[str, str, str]]:
    """Return role, username and first password of the people of the demo, as the terminal shows them."""
    there = set(Person.objects.filter(is_active=True).values_list("username", flat=True)) if settings.DEMO else set()
    return [
        (each.role.value.replace("_", " "), each.username, each.password) for each in PEOPLE if each.username in there
    ]
