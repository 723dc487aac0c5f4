"""
How names of places are written and typed: one spelling for both sides, and the words that only say what kind of place.

Nothing here knows the database. Names are simplified Chinese or romanised by Hanyu Pinyin.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# The peoples that autonomous places are named after, as their names appear before 自治县, 乡 and so on.
_PEOPLES = (
    "蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|东乡|纳西|景颇|柯尔克孜|土|达斡尔|"
    "仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京|塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺"
)
_KINDS_ZH = "特别行政区|自治区|自治州|自治县|自治旗|地区|林区|特区|苏木|营业厅|社区|省|市|县|旗|盟|镇|乡|村"
# The people's name goes with the kind only where 族 or 自治 shows that it is one: 水 of 泗水县 is not the Shui.
_KIND_ZH = re.compile(f"(?:(?:{_PEOPLES})族|各族|民族|(?:{_PEOPLES})(?=自治))*(?:{_KINDS_ZH})")
_KIND_ZH_AT_END = re.compile(f"{_KIND_ZH.pattern}$")

_KIND_PINYIN_AT_END = re.compile(r"(?<=..)(?:[a-z]+zu)?(?:zizhi)?(?:sheng|shi|xian|zhen|xiang|qi|sumu|cun|zhou)$")
# Initials with that of 县, 乡, 镇, 市 or 旗 behind them; without a vowel nothing else can be meant.
_KIND_INITIAL_AT_END = re.compile(r"^([bcdfghjklmnpqrstwxyz]{2,5})[xzsq]$")
_KIND_PINYIN_INSIDE = re.compile(r"(?<=..)(?:sheng|shi|xian|zhen|xiang|qi)(?=..)")

_HAN = r"\u3400-\u9fff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_HAN}]+|[a-z]+|[0-9]+(?:-[0-9]+)?")
_APOSTROPHES = dict.fromkeys(map(ord, "'`´ʼʹ‘’＇"))


def plain(text: str) -> str:
    """
    Return `text` as keys are spelt: full-width to half, small letters, without tones, umlauts and apostrophes.

    ü becomes u, and so does v, which is how people type it.
    """
    text = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    letters = unicodedata.normalize("NFKD", text)
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", letters).replace("v", "u")


# Spelt like keys, so that "village" is known again.
KIND_WORDS = frozenset(
    plain(
        "sheng shi xian zhen xiang qi meng cun diqu shequ sumu zizhiqu zizhizhou zizhixian zizhiqi minzu yingyeting "
        "province city county town township banner league prefecture village community store autonomous"
    ).split()
)


def words(text: str) -> list[str]:
    """Return the words of what somebody typed: runs of Chinese characters, of letters, and codes."""
    return _WORD.findall(plain(text))


def is_chinese(text: str) -> bool:
    return bool(re.search(f"[{_HAN}]", text))


def without_kinds_zh(name: str) -> str:
    """Take 县, 满族自治县, 镇 and the like out of a Chinese name or several in a row: 丰宁县大阁镇 gives 丰宁大阁."""
    return name[:1] + _KIND_ZH.sub("", name[1:])


def spellings(asked: list[str]) -> Iterator[str]:
    """
    Yield the ways to read the words that somebody typed as one key, the most literal first.

    Words are joined, with and without the kinds of place, in the order typed and backwards ("Dage, Fengning").
    """
    telling = [word for word in asked if word not in KIND_WORDS] or asked
    for in_order in (asked, telling, telling[::-1]):
        joined = "".join(in_order)
        yield joined
        if is_chinese(joined):
            yield joined[:1] + _KIND_ZH_AT_END.sub("", joined[1:])
            yield "".join(without_kinds_zh(word) for word in in_order)
        else:
            short = _KIND_PINYIN_AT_END.sub("", joined)
            yield short
            yield _KIND_PINYIN_INSIDE.sub("", short)
            yield _KIND_INITIAL_AT_END.sub(r"\1", joined)


def is_one_slip_away(typed: str, meant: str) -> bool:
    """Say whether one letter wrong, missing, too many, or two neighbours swapped make `typed` out of `meant`."""
    if typed == meant:
        return True
    same = 0
    while same < min(len(typed), len(meant)) and typed[same] == meant[same]:
        same += 1
    left, right = typed[same:], meant[same:]
    return (
        left[1:] == right[1:]
        or left[1:] == right
        or left == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])
    )
