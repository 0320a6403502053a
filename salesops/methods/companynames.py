"""Company names, tax ids, phones and web addresses, written alike however they were typed."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

# Municipalities, prefectures and the provinces' short names: what a Chinese company's registered
# name begins with.
_PLACES = """
北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东
广西 海南 四川 贵州 云南 陕西 甘肃 青海 内蒙古 宁夏 新疆 西藏 香港 澳门 台湾 石家庄 唐山 秦皇岛
邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水 太原 大同 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁
呼和浩特 包头 乌海 赤峰 通辽 鄂尔多斯 呼伦贝尔 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 阜新 辽阳
盘锦 铁岭 朝阳 葫芦岛 长春 四平 辽源 通化 白山 松原 白城 延边 哈尔滨 齐齐哈尔 鸡西 鹤岗 双鸭山
大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化 南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州
镇江 泰州 宿迁 杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水 合肥 芜湖 蚌埠 淮南 马鞍山
淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城 福州 厦门 莆田 三明 泉州 漳州 南平 龙岩
宁德 南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶 济南 青岛 淄博 枣庄 东营 烟台 潍坊
济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽 郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌
漯河 三门峡 南阳 商丘 信阳 周口 驻马店 武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁
随州 恩施 长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底 湘西 广州 韶关 深圳
珠海 汕头 佛山 江门 湛江 茂名 肇庆 惠州 梅州 汕尾 河源 阳江 清远 东莞 中山 潮州 揭阳 云浮 南宁
柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 河池 来宾 崇左 海口 三亚 成都 自贡 攀枝花
泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 巴中 资阳 贵阳 六盘水 遵义 安顺
毕节 铜仁 昆明 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 大理 拉萨 西安 铜川 宝鸡 咸阳 渭南 延安 汉中
榆林 安康 商洛 兰州 嘉峪关 金昌 白银 天水 武威 张掖 平凉 酒泉 庆阳 定西 陇南 西宁 银川 石嘴山
吴忠 固原 中卫 乌鲁木齐 克拉玛依 昆山 常熟 张家港 江阴 义乌
"""
_LEGAL = (
    "股份有限公司", "有限责任公司", "有限公司", "集团公司", "分公司", "公司", "集团",
    "incorporated", "corporation", "limited", "company", "gmbh", "corp", "coltd", "ltd", "inc",
    "llc", "plc", "co", "ag", "sa",
)  # fmt: skip
# Words that are left out as readily as the legal form when a name is shortened.
_GENERIC = ("科技", "技术", "制造", "实业", "发展", "控股", "股份", "贸易", "国际", "集团")
_BRACKETS = re.compile(r"[(\[{<【〔《]([^)\]}>】〕》]*)[)\]}>】〕》]")
_MARKS = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\D+")
_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_MAINLAND, _SHORTEST = 11, 7
# Mailboxes that say nothing of the company.
_PUBLIC = frozenset({
    "qq.com", "vip.qq.com", "foxmail.com", "163.com", "vip.163.com", "126.com", "yeah.net",
    "sina.com", "sina.cn", "sohu.com", "139.com", "189.cn", "21cn.com", "aliyun.com", "gmail.com",
    "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "yahoo.com.cn", "icloud.com",
    "me.com",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CompanyName:
    """A company's name in its parts.

    Attributes
    ----------
    core
        What tells it from others: without place, legal form, general words and marks; lower case,
        simplified characters.
    place
        Where it is registered, as its name says; empty where it does not.
    """

    core: str
    place: str


@cache
def _places() -> tuple[str, ...]:
    return tuple(sorted(_PLACES.split(), key=len, reverse=True))


@cache
def _converter() -> "object":
    from opencc import OpenCC

    return OpenCC("t2s")


def plain(text: str) -> str:
    """Write a text in half width, simplified characters and lower case, blanks at the ends off.

    Examples
    --------
    >>> plain("廈門ＡＢＣ電子　")
    '厦门abc电子'
    """
    wide = unicodedata.normalize("NFKC", text).strip().lower()
    if wide.isascii():
        return wide
    simplified: str = _converter().convert(wide)  # type: ignore[attr-defined]
    return simplified


@lru_cache(maxsize=200_000)
def company_name(name: str) -> CompanyName:
    """Take a company's name apart.

    Examples
    --------
    >>> company_name("南京锦益汽车零部件有限公司")
    CompanyName(core='锦益汽车零部件', place='南京')
    >>> company_name("錦益汽車零部件（南京）有限公司") == company_name("南京锦益汽车零部件有限公司")
    True
    >>> company_name("Acme Tools Co., Ltd.").core
    'acmetools'
    """
    text, place = plain(name), ""
    for inside in _BRACKETS.findall(text):
        found = _leading_place(inside)
        place = place or found
        # What stands in brackets and is no place may tell two companies apart.
        text = text.replace(inside, "") if found and len(inside) <= len(found) + 1 else text
    text = _MARKS.sub("", text)
    text, branch = _without_legal(text)
    place = place or branch
    first = _leading_place(text)
    if first and len(text) > len(first) + 1:
        text = text[len(first) :]
        text = text[1:] if text[:1] in "市省" and len(text) > 2 else text
        place = place or first
    return CompanyName(core=_without_generic(text), place=place)


def _leading_place(text: str) -> str:
    return next((place for place in _places() if text.startswith(place)), "")


def _without_legal(text: str) -> tuple[str, str]:
    """Take legal forms off the end, and the place of a branch; give that place beside."""
    place, changed = "", True
    while changed:
        changed = False
        for form in _LEGAL:
            if text.endswith(form) and len(text) > len(form) + 1:
                text, changed = text[: -len(form)], True
                branch = next((p for p in _places() if text.endswith(p)), "")
                if form == "分公司" and branch and len(text) > len(branch) + 1:
                    text, place = text[: -len(branch)], place or branch
                break
    return text, place


def _without_generic(text: str) -> str:
    for word in _GENERIC * 2:
        if text.endswith(word) and len(text) > len(word) + 1:
            text = text[: -len(word)]
    return text


def tax_id(text: str) -> str:
    """Write a tax id without blanks and marks, upper case; empty where it can't be one.

    Examples
    --------
    >>> tax_id("91 3100 0063 1520 6999")
    '913100006315206999'
    >>> tax_id("无")
    ''
    """
    found = re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", text).upper())
    shortest = 8
    return found if len(found) >= shortest and len(set(found)) > 2 else ""


def is_credit_code(code: str) -> bool:
    """Say whether a text is a unified social credit code (统一社会信用代码) with its check digit.

    Notes
    -----
    GB 32100-2015: weights are powers of 3 modulo 31.

    Examples
    --------
    >>> is_credit_code("91350100M000100Y43"), is_credit_code("91350100M000100Y44")
    (True, False)
    """
    if len(code) != len(_WEIGHTS) + 1 or any(c not in _CODE for c in code):
        return False
    total = sum(w * _CODE.index(c) for w, c in zip(_WEIGHTS, code, strict=False))
    return _CODE[(31 - total % 31) % 31] == code[-1]


def phone(text: str) -> str:
    """Write a phone number in its digits, without the code of China; empty where it can't be one.

    Examples
    --------
    >>> phone("+86 138-0013-8000"), phone("(021) 6288 1234 转 801"), phone("12")
    ('13800138000', '02162881234', '')
    """
    wide = unicodedata.normalize("NFKC", text)
    main = re.split(r"转|ext|x|#|;|/|、|,", wide.lower())[0]
    digits = _DIGITS.sub("", main)
    for code in ("0086", "86"):
        if digits.startswith(code) and len(digits) >= _MAINLAND + len(code) - 1:
            digits = digits[len(code) :]
            break
    return digits if len(digits) >= _SHORTEST and len(set(digits)) > 2 else ""


def domain(text: str) -> str:
    """Give the company's own domain of a web or mail address; empty for public mailboxes.

    Examples
    --------
    >>> domain("https://www.Acme.com.cn/about"), domain("li@acme.com.cn"), domain("li@qq.com")
    ('acme.com.cn', 'acme.com.cn', '')
    """
    host = plain(text).split("//")[-1].split("/")[0].split("@")[-1].split(":")[0]
    host = host.removeprefix("www.")
    return "" if host in _PUBLIC or "." not in host or " " in host else host
