"""
Finding places by what people type: a piece of a Chinese name, pinyin, its initials, a code, one slip of the finger.

Every way to ask for a place is a row of PlaceKey, so that a question is a few look-ups in a B-tree, whatever the number
of outlets. Towns stand for their outlets: most outlets are named after their town.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models.expressions import RawSQL

from api.prepared import PlannedOnce
from catalog.models import local_text, speaks_english
from stores.models import Outlet, PlaceKey, Region
from stores.place_names import (
    KIND_WORDS,
    is_chinese,
    is_one_slip_away,
    plain,
    spellings,
    without_kinds_zh,
    words,
)

# A question matches at most so many places; the rest is found by typing more.
MOST_HITS = 200
# Nobody types more; longer questions are refused by the page.
LONGEST_QUESTION = 60

# Provinces whose romanised name is not the pinyin of their Chinese one.
_PINYIN_OF = {"150000": "neimenggu"}
_OUTLET_CODE_LENGTH = 12
# Sorts behind everything that is typed.
_LAST = r"U&'\+10FFFF'"

Kind = PlaceKey.Kind


class Hit(NamedTuple):
    """
    A place that answers a question. `rank` 0: exactly; 1: by initials; 2: begins so; 3: inside; 4: with a slip.

    Only places above the town have names.
    """

    code: str
    level: int
    rank: int
    outlet_count: int | None = None
    name_zh: str = ""
    name_en: str = ""
    parent_zh: str | None = None
    parent_en: str | None = None
    grandparent_zh: str | None = None
    grandparent_en: str | None = None

    @property
    def name(self) -> str:
        return local_text(self.name_zh, self.name_en)

    @property
    def within(self) -> str:
        """The names of the regions around it, from the nearer to the farther in English, the other way in Chinese."""
        if speaks_english():
            return ", ".join(name for name in (self.parent_en, self.grandparent_en) if name)
        return "".join(name for name in (self.grandparent_zh, self.parent_zh) if name and "辖" not in name)


# asked(key, scope): what to look up, and the digits that the code of the place must begin with. A question that begins
# with the name of a province, city or county asks for the rest of it inside there.
_ASKED = """
    WITH asked AS MATERIALIZED (
        SELECT unnest(%(keys)s::text[]) COLLATE "C" AS key, '' AS scope
        UNION
        SELECT split.tail COLLATE "C", left(head.code, head.level * 2)
        FROM unnest(%(heads)s::text[], %(tails)s::text[]) AS split(head, tail)
        JOIN stores_placekey head ON head.key = split.head AND head.kind = 0 AND head.level < 4
    )
"""
_DESCRIPTION = """
    hit.code, hit.level, hit.rank, region.outlet_count, region.name_zh, region.name_en,
    parent.name_zh, parent.name_en, grandparent.name_zh, grandparent.name_en
"""
# Towns are not described: their outlets are what people want to see, and those say where they are.
_DESCRIBED = """
    LEFT JOIN stores_region region ON region.code = hit.code AND hit.level < 4
    LEFT JOIN stores_region parent ON parent.code = region.parent_id
    LEFT JOIN stores_region grandparent ON grandparent.code = parent.parent_id
    WHERE hit.level >= 4 OR region.code IS NOT NULL
    ORDER BY hit.rank, hit.level, region.outlet_count DESC, hit.code
"""
# Each look-up ends after some hundred rows, so that the letter "d" costs no more than "dage". Places above the town
# are looked up by themselves, lest thousands of towns crowd them out.
_MATCHES = (
    _ASKED
    + f""",
    found AS (
        SELECT match.* FROM asked CROSS JOIN LATERAL (
            (SELECT code, level, CASE kind WHEN 0 THEN 0 WHEN 1 THEN 1 ELSE 3 END AS rank FROM stores_placekey
                WHERE key = asked.key AND kind < 3 AND starts_with(code, asked.scope) ORDER BY key, kind LIMIT 300)
            UNION ALL
            (SELECT code, level, CASE kind WHEN 0 THEN 2 ELSE 3 END FROM stores_placekey
                WHERE key > asked.key AND key < asked.key || {_LAST} AND starts_with(code, asked.scope)
                AND (kind IN (0, 2) OR kind = 1 AND length(asked.key) > 2) AND level < 4 ORDER BY key LIMIT 100)
            UNION ALL
            (SELECT code, level, CASE kind WHEN 0 THEN 2 ELSE 3 END FROM stores_placekey
                WHERE key > asked.key AND key < asked.key || {_LAST} AND starts_with(code, asked.scope)
                AND (kind IN (0, 2) OR kind = 1 AND length(asked.key) > 2) AND level >= 4 ORDER BY key LIMIT 300)
        ) AS match
    ),
    hit AS (
        SELECT code, level, min(rank) AS rank FROM found GROUP BY code, level ORDER BY rank, level LIMIT {MOST_HITS}
    )
    SELECT """
    + _DESCRIPTION
    + "FROM hit"
    + _DESCRIBED
)
# One slip leaves the first or the second half of a word as it should be, or swaps the two letters in the middle.
_NEAR_MATCHES = (
    _ASKED
    + f""",
    hit AS (
        SELECT asked.key AS typed, near.key AS meant, near.code, near.level, 4 AS rank
        FROM asked CROSS JOIN LATERAL (
            (SELECT key, code, level FROM stores_placekey
                WHERE key >= left(asked.key, length(asked.key) / 2)
                AND key < left(asked.key, length(asked.key) / 2) || {_LAST}
                AND kind = 0 AND starts_with(code, asked.scope)
                AND length(key) BETWEEN length(asked.key) - 1 AND length(asked.key) + 1 LIMIT 3000)
            UNION ALL
            (SELECT reverse(key), code, level FROM stores_placekey
                WHERE key >= left(reverse(asked.key), (length(asked.key) + 1) / 2)
                AND key < left(reverse(asked.key), (length(asked.key) + 1) / 2) || {_LAST}
                AND kind = 3 AND starts_with(code, asked.scope)
                AND length(key) BETWEEN length(asked.key) - 1 AND length(asked.key) + 1 LIMIT 3000)
            UNION ALL
            (SELECT key, code, level FROM stores_placekey
                WHERE key = overlay(asked.key placing reverse(substr(asked.key, length(asked.key) / 2, 2))
                    from length(asked.key) / 2 for 2) AND kind = 0 AND starts_with(code, asked.scope) LIMIT 300)
        ) AS near
        WHERE length(asked.key) >= 4 AND asked.key ~ '^[a-z]+$'
    )
    SELECT hit.typed, hit.meant, """
    + _DESCRIPTION
    + "FROM hit"
    + _DESCRIBED
)


@PlannedOnce
def _matches() -> str:
    return _MATCHES


@PlannedOnce
def _near_matches() -> str:
    return _NEAR_MATCHES


def find_places(question: str) -> list[Hit]:
    """
    Return the places that answer `question`, the best first, at most MOST_HITS.

    A slip is allowed for only where nothing else fits. One query; two where the question looks mistyped.
    """
    asked = words(question)
    if not asked:
        return []
    if len(asked) == 1 and len(asked[0]) == _OUTLET_CODE_LENGTH and "-" in asked[0]:
        return [Hit(asked[0], PlaceKey.OUTLET_LEVEL, 0)]
    keys = list(dict.fromkeys(key for key in spellings(asked) if key))
    splits = [(key[:cut], key[cut:]) for key in keys for cut in range(2, len(key))]
    asked_for: dict[str, Any] = {
        "keys": keys,
        "heads": [head for head, _tail in splits],
        "tails": [tail for _head, tail in splits],
    }
    hits = _hits(_matches.rows(**asked_for))
    if hits or is_chinese(question):
        return hits
    near = [row for typed, meant, *row in _near_matches.rows(**asked_for) if is_one_slip_away(typed, meant)]
    return _hits(list(dict.fromkeys(map(tuple, near))))[:MOST_HITS]


def _hits(rows: list[tuple]) -> list[Hit]:
    hits = [Hit(*row) for row in rows]
    places = {hit.code for hit in hits}
    # An outlet comes with its town where that is found, too.
    return [hit for hit in hits if hit.level < PlaceKey.OUTLET_LEVEL or hit.code.partition("-")[0] not in places]


# What the keys of each place are made of, as `_changed_keys` makes them; another RULE makes all of them anew.
_RULE = 1
_SOURCES = f"""
    SELECT region.code, md5(jsonb_build_array({_RULE}, region.name_zh, region.name_pinyin, region.name_en,
        region.pinyin_initials, parent.name_zh, parent.name_pinyin, parent.pinyin_initials)::text)::uuid AS made_of
    FROM stores_region region LEFT JOIN stores_region parent ON parent.code = region.parent_id
    UNION ALL
    SELECT outlet.code, md5(jsonb_build_array({_RULE}, outlet.name_zh, outlet.name_en, town.name_zh,
        town.pinyin_initials)::text)::uuid
    FROM stores_outlet outlet JOIN stores_region town ON town.code = outlet.town_id WHERE outlet.state <> 'closed'
"""


def index_places() -> int:
    """
    Bring the keys up to date with all regions and outlets; return for how many places they were made anew.

    Those are places whose names, or the names around them, are not those that their keys were made of. Only what
    differs is written, so that searches go on meanwhile.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Another run, with older names, must not come second.
        cursor.execute("LOCK TABLE stores_indexedplace IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            f"""
            CREATE TEMP TABLE changed_place ON COMMIT DROP AS
            SELECT code, source.made_of FROM ({_SOURCES}) AS source FULL JOIN stores_indexedplace old USING (code)
            WHERE source.made_of IS DISTINCT FROM old.made_of
            """
        )
        changed = cursor.rowcount
        if changed:
            _write_keys(cursor)
        cursor.execute("DROP TABLE changed_place")
        return changed


def _write_keys(cursor: Any) -> None:
    """Make the keys of the places in `changed_place` anew."""
    cursor.execute("ANALYZE changed_place")
    cursor.execute("CREATE TEMP TABLE place_key (LIKE stores_placekey) ON COMMIT DROP")
    cursor.copy_expert("COPY place_key (key, kind, code, level) FROM STDIN", _as_copy(_changed_keys()))
    cursor.execute("ANALYZE place_key")
    cursor.execute(
        "DELETE FROM stores_placekey old USING changed_place WHERE old.code = changed_place.code"
        " AND NOT EXISTS (SELECT FROM place_key new WHERE new = old)"
    )
    cursor.execute("INSERT INTO stores_placekey SELECT DISTINCT * FROM place_key ON CONFLICT DO NOTHING")
    cursor.execute("DROP TABLE place_key")
    cursor.execute(
        "DELETE FROM stores_indexedplace old USING changed_place"
        " WHERE old.code = changed_place.code AND changed_place.made_of IS NULL"
    )
    cursor.execute(
        "INSERT INTO stores_indexedplace (code, made_of) SELECT code, made_of FROM changed_place"
        " WHERE made_of IS NOT NULL ON CONFLICT (code) DO UPDATE SET made_of = excluded.made_of"
    )
    # The planner must know at once how much there is, or it reads whole tables.
    cursor.execute("ANALYZE stores_placekey, stores_region, stores_outlet")


def _as_copy(rows: Iterable[tuple[str, int, str, int]]) -> io.StringIO:
    # Keys hold only letters, digits, hyphens and Chinese characters: nothing that COPY would take for its own.
    return io.StringIO("".join(f"{key}\t{kind}\t{code}\t{level}\n" for key, kind, code, level in rows))


class _Names(NamedTuple):
    """The names of a region without what kind of place it is, in the three ways to type them."""

    chinese: str
    pinyin: str
    initials: str


def _names(code: str, chinese: str, pinyin: str, initials: str) -> _Names:
    return _Names(chinese[: len(initials)], _PINYIN_OF.get(code) or plain(pinyin.split()[0]), initials)


def _has_a_name(chinese: str | None) -> bool:
    """Whether a region is called something: 市辖区 only says that the districts of a city follow."""
    return bool(chinese) and "辖" not in str(chinese)


def _changed_keys() -> Iterator[tuple[str, int, str, int]]:
    """Yield the keys of the places in `changed_place`: key, kind, code, level."""
    changed = RawSQL("SELECT code FROM changed_place", [])
    own = ("code", "level", "name_zh", "name_pinyin", "name_en", "pinyin_initials")
    above = ("parent_id", "parent__name_zh", "parent__name_pinyin", "parent__pinyin_initials")
    regions = Region.objects.filter(code__in=changed).values_list(*own, *above)
    for code, level, chinese, pinyin, english, initials, *parent in regions.iterator():
        if not _has_a_name(chinese):
            continue
        is_told_with_it = level in (Region.Level.CITY, Region.Level.TOWN) and _has_a_name(parent[1])
        around = _names(*parent) if is_told_with_it else None
        yield code, Kind.NAME, code, level
        for key, kind in _region_keys(_names(code, chinese, pinyin, initials), chinese, pinyin, english, around):
            yield key, kind, code, level
    named = ("code", "name_zh", "name_en", "town__name_zh", "town__pinyin_initials")
    outlets = Outlet.objects.visible().filter(code__in=changed).order_by().values_list(*named)
    for code, chinese, english, town, initials in outlets.iterator():
        for key, kind in _outlet_keys((town, town[: len(initials)]) if _has_a_name(town) else None, chinese, english):
            yield key, kind, code, PlaceKey.OUTLET_LEVEL


def _region_keys(
    names: _Names, chinese: str, pinyin: str, english: str, around: _Names | None
) -> Iterator[tuple[str, int]]:
    in_full = "".join(plain(word) for word in pinyin.split())
    in_english = "".join(word for word in words(english) if word not in KIND_WORDS)
    romanised = {names.pinyin, in_full, in_english}
    yield from _chinese_keys(names.chinese, chinese)
    yield names.initials, Kind.INITIALS
    if around:
        romanised.add(around.pinyin + names.pinyin)
        yield from (
            (around.chinese + names.chinese, Kind.NAME),
            (around.initials + names.initials, Kind.INITIALS),
        )
        yield without_kinds_zh(around.chinese) + names.chinese, Kind.NAME
    for key in romanised - {""}:
        yield key, Kind.NAME
        yield key[::-1], Kind.REVERSED


def _outlet_keys(town: tuple[str, str] | None, chinese: str, english: str) -> Iterator[tuple[str, int]]:
    """
    Yield the keys for what an outlet's name says beyond county and town: a village, a street, a name of its own.

    `town` is the town's name in full and without its kind, None for one that has none.
    """
    own = plain(chinese)
    if town:
        own = own.rpartition(town[0])[2]
    own = own.removesuffix("营业厅")
    if not own:
        return
    yield from _chinese_keys(own)
    if town:
        yield town[1] + own, Kind.NAME
    parts = [words(part) for part in english.split(",")]
    telling = "".join(word for word in parts[-2 if len(parts) > 2 else 0] if word not in KIND_WORDS)
    if telling:
        yield telling, Kind.NAME
        yield telling[::-1], Kind.REVERSED


def _chinese_keys(*names: str) -> Iterator[tuple[str, int]]:
    for name in names:
        yield name, Kind.NAME
        for start in range(1, len(name)):
            yield name[start:], Kind.INSIDE
