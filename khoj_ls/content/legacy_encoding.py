"""Which old East Asian or Cyrillic encoding a text is in, as spreadsheet programs still write CSV files in them.

Told by what becomes of the text: in the right encoding it is made of the characters that its language uses most.
"""

from __future__ import annotations

import codecs
import re
from types import MappingProxyType

from khoj_ls.core.encoding import source_encoding
from khoj_ls.core.text import decode_source
from khoj_ls.core.types import Problem

_LOOKED_AT = 100_000
_LEAST_SHARE = 0.15
"""Of the characters beyond ASCII, those that must be among the most used ones."""

_JAPANESE = re.compile(
    "[ぁ-んァ-ヶーa-zA-Z０-９、。「」・々一-三五-十日月火水木金土年人名前住所東京都道府県市区町村大小中山田川本佐藤高橋鈴伊加井太郎子男女"
    "国時分間上下前後今何行見出入電話番号円会社学校生先語文書新古長内外北南西阪屋部品数量価格合計備考氏齢性別状業務員当者]"
)
_SIMPLIFIED = re.compile(
    "[的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经"
    "么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日月者意无力它与长机十民第公此已工使情明性知全三"
    "关点正业外将两高间由问很最重并物手名姓号市省区县北京海电话地址价格数量合计单位张王李刘陈，。：（）、]"
)
_TRADITIONAL = re.compile(
    "[的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經"
    "麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日月者意無力它與長機十民第公此已工使情明性知全三"
    "關點正業外將兩高間由問很最重並物手名姓號市省區縣台灣北電話地址價格數量合計單位張王李劉陳林，。：（）、]"
)
_KOREAN = re.compile(
    "[이다는을를의에가은로하고서한지도사기시인리대자그어아수부일전정제구나스해동주과원성상만보장조안국부서울김박최강남여명년월]"
)
_CYRILLIC = re.compile("[оеаинтсрвлкмдпу]")

_ENCODINGS = MappingProxyType(
    {
        "cp932": ("Shift-JIS", _JAPANESE),
        "euc_jp": ("EUC-JP", _JAPANESE),
        "gb18030": ("GB 18030", _SIMPLIFIED),
        "big5": ("Big5", _TRADITIONAL),
        "cp949": ("EUC-KR", _KOREAN),
        "cp1251": ("Windows-1251", _CYRILLIC),
        "koi8_r": ("KOI8-R", _CYRILLIC),
        "cp866": ("CP 866", _CYRILLIC),
    }
)
_STRANGE = re.compile("[\x80-\x9f\ue000-\uf8ff\U000f0000-\U0010ffff]")
"""What no text holds: control characters, and characters for private use."""


def decode_legacy(data: bytes) -> tuple[str, tuple[Problem, ...]]:
    """As `decode_source`; what that can only read with gaps is read in the old encoding that it is in, if one is clear."""
    if source_encoding(data) == "utf-8":
        try:
            data.decode()
        except UnicodeDecodeError:
            if encoding := legacy_encoding(data):
                told = _ENCODINGS[encoding][0]
                problem = Problem("warning", "encoding", f"the file is {told}, and read so: save it as UTF-8")
                return data.decode(encoding, "replace").replace("\0", " "), (problem,)
    return decode_source(data)


def legacy_encoding(data: bytes) -> str | None:
    """Python's name of the old encoding of `data`, which is no UTF-8; None where none of those known here is clear."""
    shares = {encoding: _share(data[:_LOOKED_AT], encoding, common) for encoding, (_, common) in _ENCODINGS.items()}
    best = max(shares, key=lambda encoding: shares[encoding])
    return best if shares[best] >= _LEAST_SHARE else None


def _share(sample: bytes, encoding: str, common: re.Pattern[str]) -> float:
    """How much of what is not ASCII is common in the language; 0 where the bytes cannot be in that encoding."""
    try:
        # The sample may end within a character.
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return 0.0
    beyond = [char for char in text if not char.isascii()]
    if not beyond or _STRANGE.search(text):
        return 0.0
    return sum(common.match(char) is not None for char in beyond) / len(beyond)
