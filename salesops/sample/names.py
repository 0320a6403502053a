"""Made-up names of people, companies and things, built from syllables.

No company or person is meant; likenesses are accidents of a small language of parts.
"""

from collections.abc import Sequence

import numpy as np

from salesops.sample.draws import Draws, Ints

SURNAMES = tuple("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕")
GIVEN_1 = tuple("伟敏静磊洋艳勇杰娟涛明超秀霞平刚桂文辉力宇浩凯佳雪慧颖晨思嘉子雨志建国海晓春")
GIVEN_2 = ("", *"华玲芳强军燕峰丽鹏斌波莉宁瑶琪轩博涵妍欣怡泽远航成林松楠岩倩蕾")

CITIES = {
    "华东": (
        "上海", "苏州", "杭州", "宁波", "无锡", "常州", "南京", "合肥", "嘉兴", "绍兴", "南通",
        "青岛",
    ),
    "华南": ("深圳", "东莞", "佛山", "广州", "中山", "惠州", "珠海", "厦门", "江门", "泉州"),
    "华北": ("天津", "北京", "唐山", "保定", "石家庄", "济南", "沧州", "太原", "烟台"),
    "西南": ("重庆", "成都", "绵阳", "德阳", "贵阳", "昆明", "宜宾"),
}  # fmt: skip
BRAND_1 = tuple("恒瑞鑫华盛泰德科金宏正安博凯晟利远东中天新力康友嘉汇铭昌信达锦旭卓启")
BRAND_2 = tuple("源达通成泰诚兴隆丰益昊辰科航维森博创捷锐翔宇特能光威立恩邦腾颖")
INDUSTRIES = (
    "汽车零部件",
    "精密机械",
    "电子",
    "医疗器械",
    "注塑",
    "食品",
    "新材料",
    "电气",
    "模具",
    "化工",
)
INDUSTRY_WEIGHTS = (18, 16, 15, 8, 9, 8, 8, 9, 5, 4)
# Hospitals buy for the workshops in which they clean and pack instruments.
HOSPITAL = "医疗机构"
LEGAL_FORMS = ("有限公司", "股份有限公司", "科技有限公司", "制造有限公司")
LEGAL_WEIGHTS = (58, 12, 18, 12)

TITLES = (
    "质量经理",
    "生产总监",
    "信息化主管",
    "采购经理",
    "总经理",
    "设备工程师",
    "财务经理",
    "厂长",
)
DECISION_ROLES = ("technical", "user", "technical", "buyer", "decider", "user", "buyer", "decider")


def texts(parts: Sequence[str]) -> "np.ndarray":
    """Give the parts as an array of texts to pick from."""
    return np.array(parts, dtype=object)


def people(draws: Draws, n: int) -> "np.ndarray":
    """Make up names of people."""
    first = texts(SURNAMES)[draws.whole(0, len(SURNAMES) - 1, n)]
    second = texts(GIVEN_1)[draws.whole(0, len(GIVEN_1) - 1, n)]
    third = texts(GIVEN_2)[draws.whole(0, len(GIVEN_2) - 1, n)]
    return first + second + third


def brands(draws: Draws, n: int) -> "np.ndarray":
    """Make up two- or three-syllable trade names."""
    first = texts(BRAND_1)[draws.whole(0, len(BRAND_1) - 1, n)]
    second = texts(BRAND_2)[draws.whole(0, len(BRAND_2) - 1, n)]
    third = np.where(draws.chance(0.35, n), texts(BRAND_2)[draws.whole(0, len(BRAND_2) - 1, n)], "")
    return first + second + third


def cities(draws: Draws, regions: "np.ndarray") -> "np.ndarray":
    """Pick a city in each region."""
    found = np.empty(len(regions), dtype=object)
    drawn = draws.whole(0, 10_000, len(regions))
    for region, names in CITIES.items():
        here = regions == region
        found[here] = texts(names)[drawn[here] % len(names)]
    return found


def companies(draws: Draws, city: "np.ndarray", industry: Ints) -> "np.ndarray":
    """Make up full company names: city, trade name, industry, legal form."""
    n = len(city)
    form = texts(LEGAL_FORMS)[draws.pick(LEGAL_WEIGHTS, n)]
    return city + brands(draws, n) + texts(INDUSTRIES)[industry] + form


def public_bodies(draws: Draws, city: "np.ndarray", industry: "np.ndarray") -> "np.ndarray":
    """Make up names of state-owned plants, and of hospitals where the industry is medicine."""
    brand = brands(draws, len(city))
    plant = city + texts(["国营"])[np.zeros(len(city), int)] + brand + industry
    end = np.where(industry == HOSPITAL, "医院", "厂")
    return np.where(industry == HOSPITAL, city + brand, plant) + end.astype(object)


def phones(draws: Draws, n: int) -> "np.ndarray":
    """Make up mobile numbers in a range that no operator uses."""
    # 100 is not an operator's prefix.
    return texts([f"100{number:08d}" for number in draws.whole(0, 99_999_999, n)])
