"""What happens to tones in running Mandarin: neutral tones, 不 and 一, third tones in a row.

Lin, The Sounds of Chinese (2007), chapters 8 and 9. Syllables are pypinyin's TONE3, 5 is neutral.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from vits.text.tokens import words

_DIGITS = frozenset("零一二三四五六七八九十〇幺")
_PARTICLES = frozenset("吗呢吧啊呀嘛啦喽咧哦们")
_KIN = frozenset("妈爸爹娘哥嫂姐弟妹爷奶叔婶姑公婆伯舅娃宝星猩蛐蝈饽馍")
# Second syllables that lose their tone, by the usage of Xiandai Hanyu Cidian.
_NEUTRAL = words(
    "东西 知道 朋友 先生 学生 衣服 意思 喜欢 漂亮 明白 告诉 认识 时候 什么 怎么 这么 那么 多么 "
    "眼睛 耳朵 头发 豆腐 葡萄 萝卜 狐狸 月亮 太阳 休息 消息 关系 窗户 清楚 舒服 聪明 事情 便宜 "
    "麻烦 热闹 故事 客气 力气 脾气 生意 部分 护士 大夫 丈夫 妻子 石头 木头 里头 外头 前头 后头 "
    "上头 下头 馒头 骨头 拳头 舌头 枕头 念头 码头 丫头 罐头 师傅 师父 姑娘 媳妇 亲戚 伙计 打听 "
    "打扮 打算 答应 商量 收拾 招呼 照顾 转悠 溜达 糊涂 老实 结实 踏实 厚道 暖和 凉快 快活 痛快 "
    "干净 利落 机灵 精神 娇气 小气 大方 委屈 厉害 钥匙 笤帚 扫帚 蘑菇 芝麻 高粱 骆驼 蛤蟆 蚂蚱 "
    "牲口 畜生 妖精 东家 亲家 人家 行李 包袱 名字 名堂 本事 差事 动静 地方 地道 规矩 见识 学问 "
    "队伍 吩咐 咳嗽 哆嗦 嘀咕 嘟囔 琢磨 折腾 苗条 模糊 唠叨 晃悠 应酬 使唤 算计 记性 口袋 胳膊 "
    "嘴巴 尾巴 下巴 指甲 眉毛 唾沫 喇叭 琵琶 笑话 篱笆 灯笼 棉花 帐篷 风筝 火候 将就 凑合 张罗 "
    "合同 交情 庄稼 云彩 早上 晚上 身上 路上 世上 地上 天上 手上 头上 脸上 桌上 心里 家里 屋里 "
    "夜里 屋子 谢谢 您们 主意 使得 过来 过去 起来 出来 出去 进来 进去 回来 回去 上来 上去 下来 "
    "下去 看见 听见 遇见 得罪 记得 舍得 明亮 点心 福气 运气 秀才 状元 裁缝 木匠 铁匠 道士 和尚 "
    "尼姑 财主 奴才 少爷 老爷 太太 奶奶 姥姥 爱人 别人 女婿 寡妇 兄弟 弟兄 孩子 日子 句子 房子 "
    "屁股 疙瘩 窟窿 荸荠 石榴 核桃 樱桃 枇杷 茄子 豆子 饺子 包子 粽子 抽屉 烧饼 油水 主子 "
    "态度 味道 对付 应付 逻辑 玻璃 位置 任务 困难 力量 粮食 知识 夫人 "
    "皇上 刺猬 称呼 尺寸 葫芦 打量 打发 报酬 戒指 服侍 动弹 活泼 耽误 "
    "甘蔗 吆喝 欺负 冤枉 耽搁 怪物 价钱 官司 近乎 牡丹 琉璃 含糊 妥当 "
    "巴掌 胡涂 苦头 丫鬟 丫环 姐夫 记号 砖头 疏忽 养活 苍蝇 泥鳅 罪过 "
    "歇息 拉扯 在乎 约莫 爽快 招牌 宽敞 吓唬 别扭 比划 叫唤 拍打 忽悠 "
    "行当 比方 迷糊 奉承 巴结 告示 稀罕 神父 倒腾 奸细 打点 膏药 结巴 "
    "估量 相声 冤家 马虎 恭维 妃子 待见 闹腾 柴火 姑爷 扁担 厚实 岁数 "
    "卖弄 用处 好处 坏处 益处 害处 苦处 难处 秧歌 排场 门面 念叨 利索 "
    "搭理 窝囊 嫁妆 分寸 补丁 泼辣 数落 眨巴 媒人 耷拉 抬举 估摸 糊弄 "
    "富余 舒坦 姑父 咕噜 馄饨 做作 痢疾 哈欠 甜头 麻利 撺掇 佛爷 冒失 "
    "揉搓 茉莉 掂量 山药 皮匠 架势 拾掇 趔趄 磨蹭 撮合 摔打 生分 炮仗 "
    "妹夫 气数 热乎 壮实 勾搭 帅气 秀气 铃铛 嘟哝 讲究 脑袋 书记 那边 "
    "这边 外边 里边 前边 后边 上边 下边 左边 右边 东边 南边 西边 北边 "
    "底下 乡下 要是"
)
# 子 with its full tone: children, scholars, seeds, particles of physics.
_FULL_ZI = words(
    "男子 女子 王子 公子 太子 君子 才子 孔子 孟子 老子 庄子 墨子 荀子 孙子兵法 弟子 天子 母子 "
    "父子 子 电子 原子 分子 粒子 离子 质子 中子 光子 量子 因子 种子选手 莲子 瓜子 松子 鱼子 "
    "游子 浪子 赤子 学子 妻子儿女 夫子 长子 次子 独子 养子 义子 亲子 臣子 逆子 精子 卵子 孢子 "
    "核子"
)


def neutralised(word: str, syllables: Sequence[str]) -> list[str]:
    """The syllables of a word with the tones it loses."""
    said = list(syllables)
    if len(word) != len(said):
        return said
    if word[-1] in _PARTICLES and (len(word) > 1 or word in "吗呢吧嘛啦喽咧们"):
        said[-1] = _neutral(said[-1])
    if len(word) > 1 and word[-1] == "子":
        said[-1] = "zi3" if word in _FULL_ZI else "zi5"
    if len(word) == 2 and word[0] == word[1] and word[0] in _KIN:
        said[1] = _neutral(said[1])
    for start in range(len(word) - 1):
        if word[start : start + 2] in _NEUTRAL and said[start + 1] != "r5":
            said[start + 1] = _neutral(said[start + 1])
    if len(word) == 3 and word[0] == word[2] and word[1] in "不一":  # 好不好, 看一看
        said[1] = _neutral(said[1])
    return said


def _neutral(syllable: str) -> str:
    return syllable[:-1] + "5"


def sandhi(clause: Sequence[str], syllables: Sequence[Sequence[str]]) -> list[list[str]]:
    """The syllables of a clause's words as they are said one after the other."""
    chars = "".join(clause)
    tones = [s for word in syllables for s in word]
    if len(chars) != len(tones):
        return [list(word) for word in syllables]
    _bu_and_yi(chars, clause, tones)
    said: list[list[str]] = []
    at = 0
    for word in syllables:
        said.append(_thirds(tones[at : at + len(word)], _inner(clause[len(said)])))
        at += len(word)
    return _between_words(said)


def _bu_and_yi(chars: str, clause: Sequence[str], said: list[str]) -> None:
    """不 is second before a fourth tone; 一 is second before a fourth, fourth before another."""
    ends = set()
    at = 0
    for word in clause:
        at += len(word)
        ends.add(at)
    for i, char in enumerate(chars):
        following = next((s for s in said[i + 1 :] if s != "r5"), "") if i + 1 < len(said) else ""
        if char == "不" and said[i][-1] != "5":
            said[i] = "bu2" if following[-1:] == "4" else "bu4"
        if char == "一" and said[i][-1] != "5":
            said[i] = _yi(chars, i, following, i + 1 in ends)


def _yi(chars: str, at: int, following: str, ends_word: bool) -> str:
    """How 一 at a place is said: its own tone as a digit, an ordinal, or the end of a word."""
    before, after = chars[at - 1 : at], chars[at + 1 : at + 2]
    is_digit = before in _DIGITS or (after in _DIGITS and after != "")
    is_ordinal = before in ("第", "初", "期", "周", "点") or after in ("月", "号", "日", "楼", "班")
    is_end = not following or (
        ends_word and at > 0 and before in ("统", "唯", "同", "专", "之", "万")
    )
    if (before and (is_digit or is_ordinal or is_end)) or after in ("月", "号") or not following:
        return "yi1"
    if is_digit or after in ("日", "楼", "班"):
        return "yi1"
    tone = following[-1]
    if tone == "5":  # 一个, where 个 has lost its fourth tone
        return "yi2"
    return "yi2" if tone == "4" else "yi4"


def _inner(word: str) -> list[int]:
    """Lengths of the parts of a word of three or more characters, for its third tones."""
    if len(word) < 3:
        return [len(word)]
    from vits.text.chinese import jieba

    parts = [p for p in jieba().cut_for_search(word) if len(p) == 2]
    if len(word) == 3:
        last_two = parts and not word.startswith(parts[0])
        return [1, 2] if last_two else [2, 1]
    return [2] * (len(word) // 2) + [1] * (len(word) % 2)


def _thirds(said: Sequence[str], lengths: Sequence[int]) -> list[str]:
    """Third tones within a word: each part first, then across its parts from the left."""
    out = list(said)
    at = 0
    for length in lengths:
        for i in range(at, min(at + length, len(out)) - 1):
            _rise(out, i)
        at += length
    at = 0
    for length in lengths[:-1]:
        at += length
        if 0 < at < len(out) and length > 1:
            _rise(out, at - 1)
    return out


def _rise(said: list[str], at: int) -> None:
    """A third tone before another is a second one."""
    if said[at][-1] == "3" and said[at + 1][-1] == "3":
        said[at] = said[at][:-1] + "2"


def _between_words(said: list[list[str]]) -> list[list[str]]:
    """Third tones across words, from the right, where one of the two is a single syllable."""
    spoken = [i for i, word in enumerate(said) if word]
    for left, right in reversed(list(pairwise(spoken))):
        a, b = said[left], said[right]
        if 1 in (len(a), len(b)) and a[-1][-1] == "3" and b[0][-1] == "3":
            a[-1] = a[-1][:-1] + "2"
    return said
