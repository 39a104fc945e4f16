"""Words and characters that `names.py` and `habits.py` know, of the lists in `words/`."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).with_name("words")


def word_list(name: str) -> frozenset[str]:
    """The words of `words/NAME.txt`; lines that begin with # say what they are."""
    lines = (_FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


GIVEN = word_list("given")
FAMILY = word_list("family")
AMBIGUOUS = word_list("ambiguous")
NOBODY = word_list("nobody")
KIN = word_list("kin")
NOT_NAMES = word_list("not-names")
STOP_WORDS = word_list("stop")
# Chinese surnames of one character.
SURNAMES = frozenset(
    "丁万丛严乔于仇付仲任伍何佘余佟侯俞倪傅党全兰关冉农冯冷凌刁刘包华卓单卜卞卢卫古史叶司吉向"
    "吕吴周唐商喻夏姚姜姬娄孔孙孟季宁安宋宗宫寇尚尤尹屈岑岳崔左巩巫师席庄庞康廖张彭徐成戚戴房"
    "敖文方施明易晏景曲曹曾朱李杜杨林柏查柯柳柴栾桂桑梁梅樊欧武段殷毕毛江池汤汪沈沙洛涂温游滕"
    "潘焦熊牛牟王甄甘田申白盖盛瞿石祁祝秦程穆窦章童符简管米纪缪罗翁翟耿聂肖胡臧舒艾芦苏苑苗苟"
    "范荣莫萧葛董蒋蒙蒲蓝蔡薛虞袁裴褚覃解詹许谢谭谷费贺贾赵路车辛边连迟邓邝邢邬邱邵邹郎郑郝郭"
    "金钟钱闫闵阎阮阳陆陈陶隋雷霍靳韦韩项顾颜饶马骆高魏鲁鲍麦麻黄黎齐龙龚"
)
COMPOUND = ("欧阳", "司马", "上官", "诸葛", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "夏侯")
# Characters of Chinese given names.
GIVEN_HAN = frozenset(
    "一三世东中为丽久义乾二云亚亦亨亮仁以伊伟佑佳依俊信倩健元光兰兴军冬冰凝凤凯刚利功勇北华南"
    "博友可吉启和哲唯善喜嘉国圆坤壮夏天奕如妍妙妮姗姝威娇娜娟婉婷媛嫣嫦子孝学宁宇安宏宗宝家富"
    "寿小岚岩峰川帅帆希平庆康建强彤彦彬影德心志忠怜思怡恒悦惜惟惠慧成才承振敏文斌新旋旭旺昊昌"
    "明星春晓晨晶智月朋望木权杨杰松林枫柏柱柳栋根桂桐桦梁梅梓梦森楠欣欧正武毅毓民永汐江沁沐河"
    "波泰泽洁洋洪浩海涛润涵淇淑淼清渝源漫潇澜炎烨焕然煜熙燃燕爱爽猛玉玮玲珂珊珍珏珠珺琛琦琨琪"
    "琳琴瑜瑞瑶瑾璇璐璟生电皓盛睿磊礼祖祥祺禄福禾秀秋秦程立竞童竹笑筠简红纪纯纳绍继绮维美羽翔"
    "翠翰耀耘聪育胜胤舒舟航良艳艺芝芬芳芷芸苏苑若英茂范茜茵茹荃荣荷莉莎莲莹莺菁菊菲萌萍萧萱蓉"
    "蓓蕊蕾薇薛虎诗豪贞贵超轩辉辰达远逸金鑫钰银锋长阳雄雨雪雯雷霖霜霞露静顺颖风飞鹏龙"
)
# Characters that are in no name.
NEVER_HAN = frozenset(
    "不与个么也了些什他会位你元分到卡去只可号吗吧呀呢和啊在块她它就岁年张很怎我把日时是月有条"
    "来次没点班的秒给能被要让说跟这那都钱问"
)
# Surnames that are small words too: one character behind them says nothing.
SMALL_SURNAMES = frozenset(
    "万于从任何全关包单古向安常平成方明查池温游牛白石管米花解路车边连都金马高黄"
)


def question_list() -> list[str]:
    """Questions that somebody's documents hardly answer, of `words/unanswered.txt`."""
    lines = (_FOLDER / "unanswered.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
