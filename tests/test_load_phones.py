"""Loading the catalogue from a file: every value with its mark, every mistake with its place."""

import copy
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.catalogue import version_and_clock
from catalog.loading.phones import PHONE_KEYS, load_phones
from catalog.loading.report import Report
from catalog.models import Brand, Colour, Phone, PreinstalledApp, Tier

FILE = Path(__file__).parent.parent / "catalog" / "data" / "phones.json"
CONTENT = FILE.read_bytes()
DOCUMENT = json.loads(CONTENT)

pytestmark = pytest.mark.django_db


def load(document: Any = DOCUMENT, *, apply: bool = True) -> Report:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return load_phones(content, apply=apply)


def catalogue_version() -> int:
    return version_and_clock()[0]


def changed(path: str, value: Any, document: Any = DOCUMENT) -> Any:
    """A copy of a document with another value at a path like "phones.3.model.value"; `...` takes it away."""
    document = copy.deepcopy(document)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = document
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.refused


def test_stores_brands_tiers_and_phones() -> None:
    assert counts(load()) == (6 + 2 + 14, 0, 0, 0)

    assert (Brand.objects.count(), Tier.objects.count(), Phone.objects.count()) == (6, 2, 14)
    phone = Phone.objects.get(slug="uniscope-y401")
    assert (phone.position, phone.brand.slug, phone.tier.slug) == (1, "uniscope", "yunos")
    assert (phone.price_fen, phone.screen_inches, phone.storage_gb) == (29900, Decimal("4.0"), 4)
    assert (phone.camera_front_mp, phone.dual_sim, phone.generation) == (Decimal("0.3"), True, "3G")
    assert phone.network_modes == ["CDMA2000 1x", "CDMA2000 EV-DO", "GSM"]
    assert phone.box_en[0] == "The phone"
    assert [(colour.name_en, colour.rgb) for colour in phone.colours.all()] == [
        (colour["en"], colour["hex"]) for colour in DOCUMENT["phones"][0]["colours"]["value"]
    ]
    assert [(app.name_zh, app.provenance) for app in phone.preinstalled_apps.all()] == [
        ("手机淘宝", "illustrative"),
        ("支付宝", "illustrative"),
        ("阿里云账号", "reported"),
    ]
    assert not phone.is_discontinued


def test_every_value_keeps_its_mark() -> None:
    load()

    phone = Phone.objects.get(slug="uniscope-y401")
    reported = {name for name, mark in phone.marks.items() if mark == "reported"}
    assert reported == {"brand", "tier", "price_fen", "os_name"}
    facts = {"price_fen", "tier", "brand", "network_modes", "network_bands", "box_zh", "box_en", "colours"}
    assert set(phone.marks) == facts | set(PHONE_KEYS)


def test_dry_run_writes_nothing() -> None:
    report = load(apply=False)

    assert counts(report) == (22, 0, 0, 0)
    assert not report.is_applied
    assert not Brand.objects.exists()
    assert not Tier.objects.exists()


def test_second_time_touches_nothing() -> None:
    load()
    version = catalogue_version()

    assert counts(load()) == (0, 0, 22, 0)
    assert catalogue_version() == version


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("phones.0.price_rmb.value", 289),
        ("phones.0.price_rmb.basis", "illustrative"),
        ("phones.0.colours.value.0.hex", "#ffffff"),
        ("phones.0.preinstalled_apps.1.en", "Alipay wallet"),
        ("phones.0.box.value.0.zh", "手机"),
        ("phones.0.tier.value", "taobao"),
        ("phones.0.is_discontinued", True),
        ("tiers.1.summary_zh.value", "淘宝"),
    ],
)
def test_stores_what_changed_and_only_that(path: str, value: Any) -> None:
    load()
    version = catalogue_version()

    assert counts(load(changed(path, value))) == (0, 1, 21, 0)
    assert catalogue_version() > version
    assert counts(load(changed(path, value))) == (0, 0, 22, 0)
    assert (Phone.objects.count(), Colour.objects.count(), PreinstalledApp.objects.count()) == (
        14,
        sum(len(phone["colours"]["value"]) for phone in DOCUMENT["phones"]),
        sum(len(phone["preinstalled_apps"]) for phone in DOCUMENT["phones"]),
    )


def test_phones_may_change_places() -> None:
    load()
    document = changed("phones.0.position", DOCUMENT["phones"][1]["position"])
    document["phones"][1]["position"] = DOCUMENT["phones"][0]["position"]

    assert counts(load(document)) == (0, 2, 20, 0)
    assert Phone.objects.get(slug=DOCUMENT["phones"][0]["sku"]).position == 2


def test_phones_that_the_file_leaves_out_stay() -> None:
    load()

    assert counts(load(DOCUMENT | {"phones": DOCUMENT["phones"][1:]})) == (0, 0, 21, 0)
    assert Phone.objects.count() == 14


BAD_VALUES = [
    ("phones.0.price_rmb.value", 0, "phones[0].price_rmb", "Ensure this value is greater than or equal to 1."),
    ("phones.0.price_rmb.value", "299", "phones[0].price_rmb.value", "has to be a number"),
    ("phones.0.price_rmb.value", 299.999, "phones[0].price_rmb", "has more than two decimals"),
    ("phones.0.price_rmb.value", 10**12, "phones[0].price_rmb.value", "is too large"),
    ("phones.0.price_rmb", 299, "phones[0].price_rmb", "has to be an object with named values"),
    ("phones.0.price_rmb.basis", "guessed", "phones[0].price_rmb.basis", "has to be one of reported, illustrative"),
    ("phones.0.price_rmb.basis", ..., "phones[0].price_rmb.basis", "is missing"),
    ("phones.0.battery_mah", ..., "phones[0].battery_mah", "is missing"),
    ("phones.0.battery_mah.value", 100, "phones[0]", "Constraint “phone_battery_is_sensible” is violated."),
    ("phones.0.battery_mah.value", 1500.5, "phones[0].battery_mah.value", "has to be a whole number"),
    ("phones.0.dual_sim.value", 1, "phones[0].dual_sim.value", "has to be true or false"),
    ("phones.0.screen_inch.value", 4.25, "phones[0].screen_inch", "Ensure that there are no more than 1 decimal place"),
    ("phones.0.rom_gb.value", True, "phones[0].rom_gb.value", "has to be a whole number"),
    ("phones.0.generation.value", "5G", "phones[0].generation", "Value '5G' is not a valid choice."),
    ("phones.0.model.value", " ", "phones[0].model.value", "is empty"),
    ("phones.0.model.value", "Y\x00", "phones[0].model.value", "holds a control character (U+0000)"),
    ("phones.0.model.value", "x" * 41, "phones[0].model", "Ensure this value has at most 40 characters"),
    ("phones.0.sku", "no slug!", "phones[0].sku", "Enter a valid “slug”"),
    ("phones.1.sku", "uniscope-y401", "phones[1].sku", "uniscope-y401 is already at phones[0]"),
    ("phones.1.position", 1, "phones[1].position", "1 is already at phones[0]"),
    ("phones.1.brand_zh.value", " ", "phones[1].brand_zh.value", "is empty"),
    ("phones.3.brand_zh.value", "优", "phones[3].brand_zh", "differs from phones[0].brand_zh"),
    ("phones.0.tier.value", "gold", "phones[0].tier", "no tier is called “gold”"),
    ("phones.0.colours.value.0.hex", "white", "phones[0].colours.value[0]", "Constraint “colour_is_rgb” is violated."),
    ("phones.0.colours.value", [], "phones[0].colours", "names no colour"),
    ("phones.0.colours.value", ["red"], "phones[0].colours.value[0]", "has to be an object with named values"),
    ("phones.0.network_modes.value", [3], "phones[0].network_modes.value[0]", "has to be a text"),
    ("phones.0.preinstalled_apps.0.basis", "?", "phones[0].preinstalled_apps[0].basis", "has to be one of"),
    ("phones.0.box.value.0.en", ..., "phones[0].box.value[0].en", "is missing"),
    ("phones.2", "uniscope", "phones[2]", "has to be an object with named values"),
    ("tiers.0.name_zh", ..., "tiers[0].name_zh", "is missing"),
    ("phones", ..., "phones", "is missing"),
]


@pytest.mark.parametrize(("path", "value", "place", "reason"), BAD_VALUES)
def test_names_the_place_of_a_bad_value(path: str, value: Any, place: str, reason: str) -> None:
    with translation.override("en"):
        report = load(changed(path, value))

    assert any(problem.column == place and problem.reason.startswith(reason) for problem in report.problems), (
        report.problems
    )
    places = [problem.column for problem in report.problems]
    assert places.count(place) == 1, report.problems
    assert not report.is_applied
    assert not Phone.objects.exists()


@pytest.mark.parametrize(
    ("path", "named"),
    [("phones.0.price_rmb.basis", "phones[0].price_rmb.basis"), ("phones.0.model.basis", "phones[0].model.basis")],
)
@pytest.mark.parametrize("value", ["guessed", ..., 3])
def test_names_a_wrong_mark_once(path: str, named: str, value: Any) -> None:
    assert [problem.column for problem in load(changed(path, value)).problems] == [named]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: is not JSON: Expecting value, character 1"),
        (b'{\n"phones": [}', "line 2: is not JSON: Expecting value, character 12"),
        (b'{"phones":\n"\xff"}', "line 2: is not valid UTF-8 (byte FF)"),
        (b"[]", "the document has to be an object with named values"),
        (b'{"phones": NaN}', "the file is not JSON: NaN is no number"),
        (b"[" * 100_000, "the file is not JSON"),
    ],
)
def test_says_in_one_line_that_a_file_is_no_catalogue(content: bytes, said: str) -> None:
    with translation.override("en"):
        (problem,) = load(content).problems
        assert str(problem).startswith(said)


def test_says_all_problems_at_once() -> None:
    document = changed("phones.0.battery_mah", ...)
    document["phones"][5]["price_rmb"]["value"] = -1
    document["tiers"][0]["position"] = "first"

    places = [problem.column for problem in load(document).problems]

    assert set(places) >= {"phones[0].battery_mah", "phones[5].price_rmb", "tiers[0].position"}


def test_a_position_of_a_phone_that_the_file_leaves_out_is_taken() -> None:
    load()
    document = DOCUMENT | {"phones": copy.deepcopy(DOCUMENT["phones"][1:])}
    document["phones"][0]["position"] = 1

    with translation.override("en"):
        (problem,) = load(document).problems

    assert str(problem) == "phones[0].position: belongs to uniscope-y401, which the file leaves out"


def test_command_loads_the_file_that_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    out = io.StringIO()

    call_command("load_phones", FILE, stdout=out)
    assert not Phone.objects.exists()
    call_command("load_phones", FILE, "--apply", stdout=out)
    assert Phone.objects.count() == 14

    assert out.getvalue().splitlines() == [
        "22 rows: 22 new, 0 changed, 0 unchanged, 0 refused.",
        "This was a dry run: nothing was written. Add --apply to write.",
        "22 rows: 22 new, 0 changed, 0 unchanged, 0 refused.",
    ]
    (tmp_path / "phones.json").write_bytes(b"{}")
    with pytest.raises(CommandError):
        call_command("load_phones", tmp_path / "phones.json", "--apply", stdout=out, stderr=out)


JSON = st.recursive(
    # JSON knows no infinity; a file with one is refused as a whole.
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["value", "basis", "zh"]), inside),
    max_leaves=4,
)
PATHS = ["phones", "phones.0", "tiers.0", "tiers.0.slug", "tiers.0.position", "tiers.0.name_zh"]
PATHS += [f"phones.0.{key}" for key in DOCUMENT["phones"][0]]
PATHS += [
    f"phones.0.{key}.value"
    for key, entry in DOCUMENT["phones"][0].items()
    if isinstance(entry, dict) and "value" in entry
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), value=JSON)
def test_whatever_stands_in_the_file_the_answer_is_a_report(path: str, value: Any, db: None) -> None:
    one_phone = DOCUMENT | {"phones": DOCUMENT["phones"][:1]}

    report = load(changed(path, value, one_phone), apply=False)

    assert report.problems or report.rows
    assert all(problem.column and problem.reason for problem in report.problems)
