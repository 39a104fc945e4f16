"""500 messages in Chinese and English with private data planted in them, and decoys beside it.

Numbers have right check digits where they are planted and wrong ones, or another meaning, where
they are decoys. Names are composed of lists of their own, also of given names that no list in
`pipelines/persona` holds. The same seed gives the same messages.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.persona.privacy import Finding, Kind, luhn, mod_11_2

CASES = 500
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Case:
    """A message, and what is private in it."""

    language: str
    text: str
    planted: tuple[Finding, ...]


ZH = """
有事打我手机{phone}，白天都在
我的新号码是{phone}，旧的不用了
{phone}这个是快递小哥的电话
办公室座机{landline}转8012
身份证号{id}，帮我买张票
报名要填身份证：{id}
卡号{card}，户名写我
钱打到这张卡就行 {card} 招商的
发我邮箱吧 {email}
简历投到{email}，标题写应聘
我家地址是{address}，到了按门铃
快递寄{address}
加我微信号：{account}
我QQ{qq}，备注一下
昨天跟{name}吃饭，他说下个月要结婚了
{name}明天请假，你替一下班
你认识{name}吗？
听说{name}升职了
{name}的孩子今年上小学
我和{name}约了周六爬山
叫上{name}一起去呗
{name}：{phone}
我是{name}，邮箱{email}
{name}，身份证{id}，住{address}
今天下午3点半在二号会议室开会
订单编号88213，一共299元，后天发货
高三那年我们班一共52人，周五都要考试
王者荣耀更新了，要8.5个G
版本10.2.14修好了这个问题
路上堵了40分钟，任何人都烦
周末去商场买双鞋，方便的话一起
2023年10月5日到2024年2月11日有效
马上到，马路对面等我
房子120平，总价350万，单价两万九
温度计显示37.2，应该没发烧
高铁G1234次，08车12F，14:25开
这个方法成功率98%，明白了吗
白天安静，晚上也安静，单位关系简单
包子3块钱一个，牛奶5块
尾号0731，取件码 6-2-1108
"""
EN = """
Text me at {phone} when you land
My new number is {phone}, lose the old one
You can reach the office on {phone} until five
my ssn is {id}, please don't share it
The form wants {id} as the insurance number
Charge it to {card} and send the receipt
card: {card}, expires next year
here's my email {email}
Send the draft to {email} by tonight
We moved to {address} last week
Ship it to {address}, second door
i live at {lower_address} now
My wechat id is {account}
I had lunch with {name} yesterday
{name} said the meeting is moved
Have you seen {name} lately?
I think {name} is coming on Friday
Ask {name} about the keys
It was {name}'s birthday last week
{name} and I are going hiking
Dear {name}, thanks for the flowers
Yesterday {full_name} came by with the kids
my neighbour {name} has a new dog
Did you call {first} back?
{full_name}, {phone}
{name} lives at {address}
Dr. {surname} wants to see you again
Meet me at 3:30 pm in room 204
Order 88213 comes to $299.95 and ships in May
We need 3 things on the way home
Version 10.2.14 fixes it, build 20231105
I will mark it and the rest may follow
Flight BA 1234 leaves at 14:25 from gate 12
It is a 20 minute walk down the road
Python 3.11 and English grammar on Monday
The rose bill was 40 dollars, what a joy
Will you grant me access? It may take 2 days
In 2019 we paid 1,200,000 for 120 square metres
Summer in New York, then Paris in April
Happy Christmas to everyone at Google
"""


def _words(text: str) -> list[str]:
    return text.split()


_ZH_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
)
_ZH_GIVEN = _words(
    "晓燕 建国 志强 雨桐 浩然 子涵 丽华 婷婷 秀英 俊杰 欣怡 梓萱 海燕 国栋 美玲 文博 思远 佳琪 "
    "玉兰 振宇 天佑 慧敏 芳 磊 洋 艳 鹏 静怡 诗涵 宇轩 春梅 永康 嘉欣 凯 敏 娟 超 涛 雪梅 立新 "
)
_EN_FIRST = _words(
    "Emma Liam Olivia Noah Sophie James Priya Karolina Kwame Siobhan Oksana Thabo Ingeborg "
    "Priyanka Hiroshi Mateus Aoife Bogdan Fatima Ahmed Julia Peter Hannah George Zainab "
    "Tobias Lucia Marek Nora Stephen Wendy Craig Heather Diego Anjali Rory Magnus Elif Jasper "
    "Beatrix "
)
_EN_LAST = _words(
    "Miller Kowalski Okafor Nguyen Schmidt Garcia Thompson O'Brien Petrov Svensson Tanaka "
    "Walker Baker Hughes Murphy Rossi Novak Haddad Fischer Clarke "
)
_CITIES = [
    "北京市朝阳区",
    "上海市浦东新区",
    "广东省深圳市南山区",
    "成都市武侯区",
    "杭州市",
    "南京市鼓楼区",
    "",
]
_ROADS = ["建国路", "人民南路", "解放大道", "中山东路", "学院路", "长江路", "文化巷"]
_HOSTS = ["example.com", "mail.example.cn", "test.co.uk"]
_EN_ROADS = [
    "Maple Street",
    "Oak Avenue",
    "King's Road",
    "Elm Lane",
    "Sunset Boulevard",
    "Park Drive",
]


def cases(count: int = CASES, seed: int = 0) -> list[Case]:
    """Half of them Chinese, every template in its turn."""
    chance = random.Random(seed)
    sets = {"zh": ZH.strip().splitlines(), "en": EN.strip().splitlines()}
    made = []
    for number in range(count):
        language = ("zh", "en")[number % 2]
        templates = sets[language]
        made.append(_planted(language, templates[number // 2 % len(templates)], chance))
    return made


def _planted(language: str, template: str, chance: random.Random) -> Case:
    text, place, found = "", 0, []
    for match in _PLACE.finditer(template):
        kind, value = _MAKERS[language, match[1]](chance)
        text += template[place : match.start()]
        found.append(Finding(kind, len(text), len(text) + len(value)))
        text, place = text + value, match.end()
    return Case(language, text + template[place:], tuple(found))


def _digits(chance: random.Random, count: int) -> str:
    return "".join(str(chance.randrange(10)) for _ in range(count))


def _zh_phone(chance: random.Random) -> str:
    digits = "1" + chance.choice("3456789") + _digits(chance, 9)
    split = f"{digits[:3]} {digits[3:7]} {digits[7:]}"
    return chance.choice([digits, split, split.replace(" ", "-"), f"+86 {digits}"])


def _landline(chance: random.Random) -> str:
    return (
        f"{chance.choice(['010', '021', '0755', '028'])}-{chance.randint(2, 8)}{_digits(chance, 7)}"
    )


def _zh_id(chance: random.Random) -> str:
    area = chance.choice(["110101", "310104", "440305", "510107"])
    day = f"{chance.randint(1950, 2005)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
    first = area + day + _digits(chance, 3)
    return next(first + check for check in "0123456789X" if mod_11_2(first + check))


def _card(chance: random.Random) -> str:
    size = chance.choice([16, 16, 19])
    first = chance.choice(["4", "51", "6222", "6217"]) if size == 16 else "6228"
    first += _digits(chance, size - 1 - len(first))
    digits = next(first + check for check in "0123456789" if luhn(first + check))
    spaced = " ".join(digits[i : i + 4] for i in range(0, size, 4))
    return chance.choice([digits, spaced])


def _email(chance: random.Random) -> str:
    user = chance.choice(["lily.wang", "j_smith", "hans-peter", "xiaoming88", "tom+news"])
    return f"{user}{chance.randint(1, 99)}@{chance.choice(_HOSTS)}"


def _zh_address(chance: random.Random) -> str:
    rooms = chance.choice(
        ["", "3号楼", "2单元501室", f"{chance.randint(1, 20)}栋{chance.randint(101, 999)}"]
    )
    return f"{chance.choice(_CITIES)}{chance.choice(_ROADS)}{chance.randint(1, 999)}号{rooms}"


def _en_address(chance: random.Random) -> str:
    tail = chance.choice(["", ", Apt 4B", ", Springfield, IL 62704", ", London"])
    return f"{chance.randint(1, 999)} {chance.choice(_EN_ROADS)}{tail}"


def _en_phone(chance: random.Random) -> str:
    a, b, c = chance.randint(201, 989), chance.randint(200, 999), _digits(chance, 4)
    forms = [
        f"({a}) {b}-{c}",
        f"{a}-{b}-{c}",
        f"+1 {a} {b} {c}",
        f"07{_digits(chance, 3)} {_digits(chance, 6)}",
    ]
    return chance.choice(forms)


def _ssn(chance: random.Random) -> str:
    return f"{chance.randint(100, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"


def _zh_name(chance: random.Random) -> str:
    return chance.choice(_ZH_SURNAMES) + chance.choice(_ZH_GIVEN)


def _en_full(chance: random.Random) -> str:
    return f"{chance.choice(_EN_FIRST)} {chance.choice(_EN_LAST)}"


def _en_name(chance: random.Random) -> str:
    return chance.choice([chance.choice(_EN_FIRST), _en_full(chance)])


def _account(chance: random.Random) -> str:
    return (
        chance.choice(["wx_", "night", "Blue-"])
        + chance.choice(["fox", "river"])
        + _digits(chance, 3)
    )


Maker = Callable[[random.Random], tuple[Kind, str]]


def _maker(kind: Kind, make: Callable[[random.Random], str]) -> Maker:
    return lambda chance: (kind, make(chance))


_MAKERS: dict[tuple[str, str], Maker] = {
    ("zh", "phone"): _maker("phone", _zh_phone),
    ("zh", "landline"): _maker("phone", _landline),
    ("zh", "id"): _maker("id", _zh_id),
    ("zh", "card"): _maker("card", _card),
    ("zh", "email"): _maker("email", _email),
    ("zh", "address"): _maker("address", _zh_address),
    ("zh", "account"): _maker("account", _account),
    ("zh", "qq"): _maker("account", lambda chance: str(chance.randint(10**7, 10**9))),
    ("zh", "name"): _maker("name", _zh_name),
    ("en", "phone"): _maker("phone", _en_phone),
    ("en", "id"): _maker("id", _ssn),
    ("en", "card"): _maker("card", _card),
    ("en", "email"): _maker("email", _email),
    ("en", "address"): _maker("address", _en_address),
    ("en", "lower_address"): _maker("address", lambda chance: _en_road(chance).lower()),
    ("en", "account"): _maker("account", _account),
    ("en", "name"): _maker("name", _en_name),
    ("en", "full_name"): _maker("name", _en_full),
    ("en", "first"): _maker("name", lambda chance: chance.choice(_EN_FIRST)),
    ("en", "surname"): _maker("name", lambda chance: chance.choice(_EN_LAST)),
}


def _en_road(chance: random.Random) -> str:
    return f"{chance.randint(1, 999)} {chance.choice(_EN_ROADS)}"
