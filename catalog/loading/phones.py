"""Load brands, tiers and phones from a JSON document in the shape of catalog/data/phones.json."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalog.loading.document import Node, clean, kind_of, read_document
from catalog.loading.merging import Wanted, merge_catalogue
from catalog.loading.report import Problem, Report
from catalog.models import Brand, Colour, Phone, PreinstalledApp, Price, Tier

# What the document calls the fields of Phone that take one marked value each.
PHONE_KEYS = {
    "model": "model",
    "name_zh": "name_zh",
    "name_en": "name_en",
    "description_zh": "description_zh",
    "description_en": "description_en",
    "os_name": "os_name",
    "os_version": "os_version",
    "screen_inches": "screen_inch",
    "screen_width_px": "screen_width_px",
    "screen_height_px": "screen_height_px",
    "body_width_mm": "body_width_mm",
    "body_height_mm": "body_height_mm",
    "body_depth_mm": "body_depth_mm",
    "weight_g": "weight_g",
    "cpu_cores": "cpu_cores",
    "cpu_ghz": "cpu_ghz",
    "ram_mb": "ram_mb",
    "storage_gb": "rom_gb",
    "memory_card_max_gb": "memory_card_max_gb",
    "camera_back_mp": "camera_back_mp",
    "camera_front_mp": "camera_front_mp",
    "battery_mah": "battery_mah",
    "dual_sim": "dual_sim",
    "generation": "generation",
}
# What takes a mark, by its key in the document, and the names of the fields that the mark is kept under.
MARKED_FIELDS = {key: (name,) for name, key in PHONE_KEYS.items()} | {
    "tier": ("tier",),
    "brand_en": ("brand",),
    "network_modes": ("network_modes",),
    "network_bands": ("network_bands",),
    "box": ("box_zh", "box_en"),
    "colours": ("colours",),
}
PHONE_FIELDS = {field.name: field for field in Phone._meta.concrete_fields}
TIER_TEXTS = ("name_zh", "name_en", "summary_zh", "summary_en", "explanation_zh", "explanation_en")


def load_phones(content: bytes, *, apply: bool) -> Report:
    """
    Compare a document with the stored brands, tiers and phones; with `apply`, store what differs.

    The report counts brands, tiers and phones alike. What is stored and not in the document stays. Nothing is written
    when anything is refused, and nothing is touched that already is as the document says.
    """
    problems: list[Problem] = []
    root = read_document(content, problems)
    tiers = [_read_tier(node) for node in root.nodes("tiers")]
    phones = [_read_phone(node) for node in root.nodes("phones")]
    brands = _brands_of(phones)
    _refuse_twins(tiers)
    _refuse_twins(phones)
    _refuse_unknown_tiers(phones, tiers)
    return merge_catalogue(brands=brands, tiers=tiers, phones=phones, problems=problems, apply=apply)


def _read_tier(node: Node) -> Wanted:
    values = {"slug": node.plain("slug", str), "position": node.plain("position", int)}
    values |= {name: node.marked(name, str) for name in TIER_TEXTS}
    return Wanted(_cleaned(Tier(**values), {}, node), node)


def _read_phone(node: Node) -> Wanted:
    values = {
        "slug": node.plain("sku", str),
        "position": node.plain("position", int),
        "is_discontinued": node.plain("is_discontinued", bool, default=False),
        "network_modes": _texts(node, "network_modes"),
        "network_bands": _texts(node, "network_bands"),
    }
    values |= {name: node.marked(key, kind_of(PHONE_FIELDS[name])) for name, key in PHONE_KEYS.items()}
    box = _named_things(node, node.marked("box", list), "box.value")
    values |= {"box_zh": [zh for _node, zh, _en in box], "box_en": [en for _node, _zh, en in box]}
    wanted = Wanted(
        Phone(**values),
        node,
        brand=_read_brand(node),
        tier_slug=node.marked("tier", str) or "",
        price=_read_price(node),
        colours=_colours(node),
        apps=_apps(node),
    )
    wanted.instance.provenance = {
        name: node.provenance.get(key) for key, names in MARKED_FIELDS.items() for name in names
    }
    _cleaned(wanted.instance, {"slug": "sku", **PHONE_KEYS}, node)
    return wanted


def _read_brand(node: Node) -> Wanted:
    name_zh, name_en = node.marked("brand_zh", str), node.marked("brand_en", str)
    brand = Brand(slug=slugify(name_en or ""), name_zh=name_zh, name_en=name_en)
    return Wanted(_cleaned(brand, {"name_zh": "brand_zh", "name_en": "brand_en", "slug": "brand_en"}, node), node)


def _brands_of(phones: list[Wanted]) -> list[Wanted]:
    """Gather the brands that phones name. A brand has one name in each language."""
    brands: dict[str, Wanted] = {}
    for phone, brand in ((phone, phone.brand) for phone in phones if phone.brand):
        known = brands.setdefault(brand.slug, brand)
        if (brand.instance.name_zh, brand.instance.name_en) != (known.instance.name_zh, known.instance.name_en):
            reason = _("differs from %(place)s, which is the same brand")
            phone.node.refuse("brand_zh", reason % {"place": known.node.place("brand_zh")})
    return list(brands.values())


def _read_price(node: Node) -> Price:
    values = {"price_fen": _price_fen(node), "provenance": node.provenance.get("price_rmb")}
    return _cleaned(Price(**values), {"price_fen": "price_rmb"}, node)


def _price_fen(node: Node) -> int | None:
    """Return the price, given in yuan with at most two decimals, in fen."""
    price = node.marked("price_rmb", Decimal)
    if price is None:
        return None
    fen = Decimal(price) * 100
    if fen == fen.to_integral_value():
        return int(fen)
    node.refuse("price_rmb", _("has more than two decimals"))
    return None


def _texts(node: Node, key: str) -> list[str]:
    texts = node.marked(key, list) or []
    entries = Node(node.place(key), {f"value[{index}]": text for index, text in enumerate(texts)}, node.problems)
    return [entries.plain(name, str) for name in entries.values]


def _named_things(node: Node, items: list[Any] | None, key: str) -> list[tuple[Node, str, str]]:
    """Return each object of a list with its Chinese and its English name."""
    return [(thing, thing.plain("zh", str), thing.plain("en", str)) for thing in node.objects(items or [], key)]


def _colours(node: Node) -> list[Colour]:
    colours = []
    things = _named_things(node, node.marked("colours", list), "colours.value")
    for position, (thing, zh, en) in enumerate(things, start=1):
        rgb = (thing.plain("hex", str) or "").upper()
        colours.append(_cleaned(Colour(position=position, name_zh=zh, name_en=en, rgb=rgb), {"rgb": "hex"}, thing))
    if not colours:
        node.refuse("colours", _("names no colour"))
    return colours


def _apps(node: Node) -> list[PreinstalledApp]:
    apps = []
    things = _named_things(node, node.plain("preinstalled_apps", list), "preinstalled_apps")
    for position, (thing, zh, en) in enumerate(things, start=1):
        values = {"position": position, "name_zh": zh, "name_en": en, "provenance": thing.basis()}
        apps.append(_cleaned(PreinstalledApp(**values), {"name_zh": "zh", "name_en": "en"}, thing))
    return apps


def _cleaned(instance: Any, keys: dict[str, str], node: Node) -> Any:
    """Hold the instance to its rules. What is None was refused before; foreign keys are set when it is stored."""
    fields = instance._meta.concrete_fields
    skipped = {f.name for f in fields if f.is_relation or f.primary_key or getattr(instance, f.attname) is None}
    clean(instance, keys, node, exclude=skipped)
    return instance


def _refuse_twins(wanted: list[Wanted]) -> None:
    for name in ("slug", "position"):
        seen: dict[Any, Wanted] = {}
        for one in wanted:
            value = getattr(one.instance, name)
            first = seen.setdefault(value, one)
            if value is not None and first is not one:
                key = "sku" if name == "slug" and "sku" in one.node.values else name
                one.node.refuse(
                    key, _("%(value)s is already at %(place)s") % {"value": value, "place": first.node.path}
                )


def _refuse_unknown_tiers(phones: list[Wanted], tiers: list[Wanted]) -> None:
    known = {tier.slug for tier in tiers}
    for phone in phones:
        if phone.tier_slug and phone.tier_slug not in known:
            phone.node.refuse("tier", _("no tier is called “%(tier)s”") % {"tier": phone.tier_slug})
