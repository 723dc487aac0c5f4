"""Every page that a customer can see, once: what the tests of weight, sight and form go through."""

from __future__ import annotations

from dataclasses import dataclass

from tests.site import Site

MODES = {"zh": "/", "en": "/en/", "large zh": "/large/", "large en": "/large/en/"}


@dataclass(frozen=True)
class Page:
    """
    One page. `path` has no language and size before it; `status` is what it answers; `outlet` is the chosen one.

    `is_public`: it is the same for everybody, so anybody may keep it.
    """

    name: str
    path: str
    status: int = 200
    outlet: str = ""
    is_public: bool = True

    def address(self, mode: str) -> str:
        return MODES[mode] + self.path.removeprefix("/")


def customer_pages(site: Site) -> list[Page]:
    """Return all pages, with the heaviest of each kind among them."""
    slugs = [slug for (slug,) in site.rows("SELECT slug FROM catalog_phone ORDER BY position")]
    outlet = _one(site, "SELECT max(code) FROM stores_outlet WHERE state = 'open' AND code LIKE '13%'")
    vague = _one(
        site, "SELECT min(code) FROM stores_outlet WHERE state = 'open' AND coordinate_source = 'county_offset'"
    )
    having = _one(
        site,
        "SELECT min(p.slug) FROM catalog_phone p JOIN stores_stocklevel l ON l.phone_id = p.id "
        "JOIN stores_outlet o ON o.id = l.outlet_id WHERE o.code = %s AND l.is_available AND NOT p.is_discontinued",
        outlet,
    )
    by_state = dict(site.rows("SELECT state, min(code) FROM stores_outlet GROUP BY state"))
    pages = [
        Page("home", "/"),
        Page("phones", "/phones/"),
        Page("phones, one tier", "/phones/?tier=yunos"),
        Page("phones, none left", "/phones/?tier=yunos&brand=tcl"),
        *(Page(f"phone {slug}", f"/phones/{slug}/") for slug in slugs),
        Page("compare, nothing yet", "/compare/"),
        *(
            Page(f"compare {count}", "/compare/?" + "&".join(f"p={slug}" for slug in slugs[-count:]))
            for count in (2, 3, 4)
        ),
        Page("finder", "/outlets/"),
        Page("finder, by name", "/outlets/?q=%E4%B8%B0%E5%AE%81"),
        Page("finder, by pinyin", "/outlets/?q=fengning"),
        Page("finder, nothing found", "/outlets/?q=zzzzzz"),
        Page("finder, nearest", "/outlets/?lat=41.2&lng=116.6"),
        Page("finder, nearest with a phone", f"/outlets/?lat=41.2&lng=116.6&phone={slugs[0]}"),
        Page("outlet", f"/outlets/{outlet}/"),
        Page("outlet, place vague", f"/outlets/{vague}/"),
        Page("outlet, planned", f"/outlets/{by_state['planned']}/"),
        Page("outlet, suspended", f"/outlets/{by_state['suspended']}/"),
        Page("outlet, closed", f"/outlets/{by_state['closed']}/", status=410),
        Page("credits", "/credits/"),
        Page("home, my outlet", "/", outlet=outlet),
        Page("phones, my outlet", "/phones/", outlet=outlet),
        Page("phone, my outlet", f"/phones/{slugs[0]}/", outlet=outlet),
        Page("outlet, mine", f"/outlets/{outlet}/", outlet=outlet),
        Page("basket, empty", "/basket/", is_public=False),
        Page("reserve, where", f"/checkout/?p={slugs[0]}", is_public=False),
        Page("reserve, which province", f"/checkout/?p={slugs[0]}&region=130000", is_public=False),
        Page("reserve, nearest shops", f"/checkout/?p={slugs[0]}&q=fengning", is_public=False),
        Page(
            "reserve, four phones",
            "/checkout/?lat=29.65&lng=91.1&" + "&".join(f"p={slug}:2" for slug in slugs[-4:]),
            is_public=False,
        ),
        Page("reserve, no such place", f"/checkout/?p={slugs[0]}&q=zzzzzz", is_public=False),
        Page("reserve, form", f"/checkout/?p={having}&outlet={outlet}", is_public=False),
        Page("order, look up", "/orders/", is_public=False),
        Page("order, somebody's", "/orders/107579630694/", is_public=False),
        Page("messages of the demo", "/demo/messages/", is_public=False),
        Page("not found", "/nowhere/", status=404),
        Page("no such phone", "/phones/uniscope-x/", status=404),
        Page("no such outlet", "/outlets/130826100-99/", status=404),
        Page("no such region", "/regions/990000/", status=404),
        Page("not understood", "/outlets/?lat=abc&lng=116", status=400),
        Page("bad request", "/errors/400/", status=400),
        Page("forbidden", "/errors/403/", status=403),
        Page("server error", "/errors/500/", status=500),
        Page("database away", "/errors/503/", status=503),
    ]
    for level, name in enumerate(("province", "city", "county", "town"), start=1):
        busiest = "SELECT code FROM stores_region WHERE level = %s ORDER BY outlet_count DESC, code LIMIT 1"
        pages.append(Page(f"region, {name}", f"/regions/{_one(site, busiest, level)}/"))
    empty = _one(site, "SELECT min(code) FROM stores_region WHERE outlet_count = 0 AND level = 1")
    pages.append(Page("region, no outlets", f"/regions/{empty}/"))
    return pages


def _one(site: Site, sql: str, *parameters: object) -> str:
    return str(site.rows(sql, *parameters)[0][0])
