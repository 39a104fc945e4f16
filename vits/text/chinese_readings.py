"""Which of its readings a Chinese character has, where a dictionary of words does not tell.

Three tables, as Xiandai Hanyu Cidian (7th edition) reads: words that pypinyin lists otherwise,
characters inside the words that it spells character by character, and words whose reading their
neighbours decide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_NUMBERS = "零〇一二三四五六七八九十百千万亿两几数半"

# Where pypinyin's dictionary of words is wrong, or knows them by another meaning.
WORDS = {
    "最长": "zui4 chang2", "很长": "hen3 chang2", "东西": "dong1 xi5", "数数": "shu3 shu4",
    "觉得": "jue2 de5", "晓得": "xiao3 de5", "认得": "ren4 de5", "记得": "ji4 de5",
    "懂得": "dong3 de5", "值得": "zhi2 de5", "舍得": "she3 de5", "不得了": "bu4 de2 liao3",
    "了不起": "liao3 bu5 qi3", "得了": "de2 le5", "全长": "quan2 chang2",
    "长个子": "zhang3 ge4 zi5", "长长": "chang2 chang2",
    "不得不": "bu4 de2 bu4", "说得": "shuo1 de5", "跑得": "pao3 de5", "来得及": "lai2 de5 ji2",
    "还书": "huan2 shu1", "还有": "hai2 you3", "大夫": "dai4 fu5", "一会儿": "yi2 hui4 er5",
    "那儿": "na4 er5", "约": "yue1", "多长": "duo1 chang2", "好长": "hao3 chang2",
    "忘不了": "wang4 bu5 liao3", "受不了": "shou4 bu5 liao3", "来不了": "lai2 bu5 liao3",
    "吃不了": "chi1 bu5 liao3", "睡觉": "shui4 jiao4", "午觉": "wu3 jiao4",
    "这里": "zhe4 li3", "那里": "na4 li3", "哪里": "na3 li3", "重游": "chong2 you2",
    "得分": "de2 fen1", "角色": "jue2 se4", "薄荷": "bo4 he5", "曲子": "qu3 zi5",
    "难处": "nan2 chu5", "背着": "bei1 zhe5", "空房间": "kong1 fang2 jian1",
    "数星星": "shu3 xing1 xing5", "嗯": "en4", "哎呀": "ai1 ya5", "率领": "shuai4 ling3",
    "肚子": "du4 zi5", "骨头": "gu3 tou5", "不怀好意": "bu4 huai2 hao3 yi4",
    "旋风": "xuan4 feng1", "挑起": "tiao3 qi3", "运转": "yun4 zhuan3", "转转": "zhuan4 zhuan5",
    "看似": "kan4 si4", "伺服": "si4 fu2", "不菲": "bu4 fei3", "挣得": "zheng4 de2",
    "偏好": "pian1 hao4", "咆哮": "pao2 xiao4", "浆糊": "jiang4 hu5", "果脯": "guo3 fu3",
    "创可贴": "chuang1 ke3 tie1", "夹克": "jia1 ke4", "绑扎": "bang3 za1", "轧制": "zha2 zhi4",
    "踏踏实实": "ta1 ta1 shi2 shi2", "踏实": "ta1 shi5", "悄无声息": "qiao3 wu2 sheng1 xi1",
    "压根": "ya4 gen1", "压根儿": "ya4 gen1 er5", "要约": "yao1 yue1", "嬷嬷": "mo2 mo5",
    "黄澄澄": "huang2 deng4 deng4", "海蜇": "hai3 zhe2", "罗嗦": "luo1 suo5", "属相": "shu3 xiang4",
    "拾级": "she4 ji2", "漯河": "luo4 he2", "何曾": "he2 ceng2", "强辩": "qiang3 bian4",
    "强征": "qiang3 zheng1", "抛撒": "pao1 sa3", "撒切尔": "sa1 qie1 er3", "萎缩": "wei1 suo1",
    "一行": "yi4 hang2", "隆起": "long2 qi3", "兴隆": "xing1 long2", "累累": "lei2 lei2",
    "散发": "san4 fa1", "寻思": "xun2 si5", "接种": "jie1 zhong4", "待会儿": "dai1 hui4 er5",
    "果实累累": "guo3 shi2 lei2 lei2", "摒弃": "bing4 qi4",
    "乙炔": "yi3 que1", "马尾": "ma3 wei3", "眩晕": "xuan4 yun4", "崆峒": "kong1 tong2",
    "肖邦": "xiao1 bang1", "米芾": "mi3 fu2", "回鹘": "hui2 hu2", "秦桧": "qin2 hui4",
    "含含糊糊": "han2 han2 hu2 hu2", "登场": "deng1 chang3", "解法": "jie3 fa3",
    "静脉曲张": "jing4 mai4 qu1 zhang1", "大堡礁": "da4 bao3 jiao1", "砚台": "yan4 tai5",
}  # fmt: skip

# (character, reading, the words or parts of words in which it has it)
_IN_WORDS: tuple[tuple[str, str, str], ...] = (
    ("只", "zhi1", rf"[{_NUMBERS}]只$|船只"),
    ("行", "hang2", rf"^第?[{_NUMBERS}]+行$|[支世]行$|行号"),
    ("着", "zhao2", r"[不得]着$"),
    ("着", "zhuo2", r"身着|着(实|床|地)"),
    ("得", "de5", r"^[^不舍懂]得[^到出以知了罪胜分病逞票救名利体当宠奖失]$|.得(着|了)$"),
    ("了", "liao3", r"[受吃办做走拿忘管去来治跑免少干用喝睡到解离赢打]得了$|少不了"),
    ("片", "pian4", r"[照相]片"),
    ("为", "wei2", r"[列最评视变大名尤身沦所做合略颇华失选当转化划分定改升降译称成认以极甚更较誉"
                   r"立约均皆行]为|[之见]为|为(准|重|止|期|首|主|生|伍|限|鉴|怪|所)"),
    ("藏", "zang4", r"藏(族|语|文|民|历|医|药|獒|区|红花)|[西青川进汉大道]藏"),
    ("朴", "pu3", r"[质古简纯素俭淳诚浑]朴|朴[素实质]"),
    ("勒", "le4", r"勒(?![紧死住着])"),
    ("塞", "sai4", r"[埃巴诸黑阿西要边]塞|塞[罗内浦拜舌拉缪哥外北翁尔维]"),
    ("都", "du1", r"[宜宁武昌丰盐商成首故迁定古建帝旧京洪尔]都|德满都|都[灵柏匀市城会督]"),
    ("佛", "fo2", r"(?<!仿)佛"),
    ("什", "shi2", r"[布纳乌迪比克拉]什|什[叶刹尼凯克锦件物]"),
    ("刹", "cha4", r"什刹海|古刹|刹那"),
    ("差", "cha1", r"[温级落反逆顺时方视岁误偏位外价利色电代公]差|差[速值额距别异价]"),
    ("分", "fen4", r"[缘辈情职]分"),
    ("还", "huan2", r"还[款本债愿魂原击价手礼清贷林乡]"),
    ("框", "kuang4", r"框"),
    ("甸", "dian4", r"甸"),
    ("脊", "ji3", r"脊"),
    ("椎", "zhui1", r"椎(?!心)"),
    ("哮", "xiao4", r"哮"),
    ("颇", "po1", r"颇"),
    ("谁", "shei2", r"谁"),
    ("澎", "peng2", r"澎"),
    ("茸", "rong2", r"茸"),
    ("牟", "mou2", r"牟尼"),
    ("泊", "bo2", r"[尼莫]泊"),
    ("切", "qie1", r"切[割削除片开块断菜碎换线入成掉下腹磋尔]|[横剪裁]切"),
    ("切", "qie4", r"切[实记莫身合]"),
    ("中", "zhong4", r"[选射刺投言猜击打命看考抽]中$|中[选举肯计暑毒奖弹标招邪彩靶签箭]|中规中矩"),
    ("尽", "jin4", r"[受用倾未耗费历想除自穷无详殆]尽"),
    ("倒", "dao3", r"[推吓病击撞昏摔跌打压绊拉颠晕扳扑栽滑累冻醉难问吹砍射绊]倒|"
                   r"倒[下塌闭霉地台戈卖腾班伏毙嚼胃手运]"),
    ("曲", "qu3", r"[行想歌乐戏名序插组舞作谱唱词题响协奏篮元散昆舟那编声点]曲|曲[目调艺谱牌靖阳]"),
    ("重", "chong2", r"重[振回整开排蹈构塑置生现启修写聚温返演印叠播围拾逢组]"),
    ("少", "shao3", r"少不[了得]"),
    ("少", "shao4", r"刘少奇"),
    ("的", "di4", r"堪的|尔的摩|的黎波|亚的斯|维的亚|的里雅|端的"),
    ("长", "chang2", r"^长(?![大高胖老者官辈子孙女男兄姐嫂房幼进成出势满得相毛草牙个肉])|"
                     r"[边体片加悠绵见]长"),
    ("长", "zhang3", r"[乡镇县区省市州村科股局厅部院会社团营连排班组队馆校园站厂店船舰]长$"),
    ("发", "fa4", r"[染理美假银毫白黑金秀短卷脱洗护烫束]发(?![生现展表明])|发[型廊丝梢夹质髻]"),
    ("应", "ying4", r"接应|应[力声激诉]"),
    ("蒙", "meng3", r"内蒙|蒙[族语文牛医古]"),
    ("冠", "guan4", r"冠以"),
    ("载", "zai3", r"载[入明]|[记登刊转连]载"),
    ("奔", "ben4", r"[直投]奔"),
    ("血", "xue4", r"[流出献放]血"),
    ("耶", "ye1", r"耶[路鲁稣和诞酥利]"),
    ("几", "ji1", r"几[内近乎]|茶几|庶几"),
    ("将", "jiang4", r"[副爱偏大猛良武]将$|麻将"),
    ("薄", "bo2", r"薄[膜礼弱情利]|[绵单]薄"),
    ("曾", "zeng1", r"曾[国庆巩纪都祖孙]"),
    ("燕", "yan1", r"燕[国京山赵]|[北南]燕"),
    ("弹", "tan2", r"弹[奏唱跳指琴性力劾压]|评弹"),
    ("没", "mo4", r"[隐淹沉埋吞]没|可没"),
    ("帖", "tie3", r"[发回跟请]帖|帖子"),
    ("干", "gan1", r"[乌什玛儿]干|干[妈爹亲眼休]|干(女儿|儿子)"),
    ("数", "shu3", r"数[出点不清]|可数"),
    ("舍", "she4", r"舍[利人]|守舍"),
    ("空", "kong4", r"空[当档位]"),
    ("圈", "juan4", r"[猪羊牛]圈|圈养"),
    ("爪", "zhao3", r"[利鹰]爪"),
    ("卷", "juan4", r"[问答试]卷"),
    ("散", "san3", r"散[客文装户漫乱]"),
    ("划", "hua2", r"划[破伤痕船算开]"),
    ("汗", "han4", r"(?<!可)(?<!吉思)汗(?![国王])"),
    ("强", "qiang2", r"强人"),
    ("待", "dai1", r"^待(在|着)"),
    ("掺", "chan1", r"掺"),
    ("调", "tiao2", r"[可微下上]调|调[酒速节整]"),
    ("调", "diao4", r"调档"),
    ("坊", "fang2", r"[廊茶磨染油]坊"),
    ("结", "jie1", r"结出|开花结果"),
    ("处", "chu4", r"[无出用坏好益长短]处"),
    ("处", "chu3", r"[身地]处|处[在变]|绝处"),
    ("脏", "zang1", r"脏(?![器腑])(?<![心内肝肾脾五肺]脏)"),
    ("累", "lei3", r"累[进犯积计]"),
    ("挨", "ai2", r"挨[批整斗打骂饿揍]"),
    ("乐", "yue4", r"爱乐|^哀乐|[仙内]乐|乐[句曲谱器团队]"),
    ("传", "zhuan4", r"(白蛇|易|水浒)传$"),
    ("间", "jian4", r"间接"),
    ("杆", "gan3", r"[纵拉箭]杆"),
    ("给", "ji3", r"薪给|桑给"),
)  # fmt: skip

# Words that their neighbours decide: (word, what is before, what follows, reading).
_BY_CONTEXT: tuple[tuple[str, str, str, str], ...] = (
    ("得", r"(^|[我你他她它们])$", r"^(了|到|过)", "de2"),
    ("得", r"(^|[我你他她它们还就总都非必也可只])$", r"^[^了过到]", "dei3"),
    ("得", r"[^得]$", r"^.", "de5"),
    ("得", r".$", r"^$", "de5"),
    ("得了", r"[受吃办做走拿忘管去来治跑干用喝睡到离赢打]$", r"", "de5 liao3"),
    ("地", r"[的在这那大陆耕土]$", r"", "di4"),
    ("地", r".$", r"^.", "de5"),
    ("长", r"", r"^(大|高|胖|出|成|满|着|了|得|个|在|势|相|进|草|叶|毛|牙|长)", "zhang3"),
    ("长", r"[生成增助滋见疯校会班部院家船行店站局处科队组首师]$", r"", "zhang3"),
    ("长", r"比.{1,4}$", rf"^[{_NUMBERS}]+岁", "zhang3"),
    ("长", r"", r"", "chang2"),
    ("长长", r"", r"^了", "zhang3 chang2"),
    ("还", r"", r"^(给|钱|书|债|款|清|你|我|他|她|了|$)", "huan2"),
    ("还", r"", r"", "hai2"),
    ("为", r"([成作认称变分视译化转改定名选评列升降沦誉]|任命|扩大|缩小|缩短|延长)$", r"", "wei2"),
    ("为", r"(?<![所可足难得])以(?![前后来上下外内及便致免]).{1,6}$", r"", "wei2"),
    ("为", r"", r"^(百分之|负|第)", "wei2"),
    ("为", r"", rf"^[{_NUMBERS}点]+(平方|立方|公|千米|[米厘克吨度元岁年天人])", "wei2"),
    ("为", r"", r"^人(很|正|老|善|和|诚|处|热|厚|真|低|谦|慷|豪|直|忠|公|随|大)", "wei2"),
    ("为", r"", r"", "wei4"),
    ("着", r"(睡|找|够|猜|用|点|烧|不)$", r"^(了|火)|^$", "zhao2"),
    ("着", r".$", r"", "zhe5"),
    ("穿着", r"[的他她]$", r"^$|^(很|打扮|讲究|得体|朴素|时髦|整齐|随便|举止)", "chuan1 zhuo2"),
    ("了", r"不$", r"", "liao3"),
    ("了", r"", r"", "le5"),
    ("只", rf"[{_NUMBERS}这那每哪]$", r"", "zhi1"),
    ("只", r"", r"", "zhi3"),
    ("一行", r"[们客员等团]$", r"", "yi4 xing2"),
    ("一行", r"", rf"^([{_NUMBERS}]+人|人|来到|抵达|前往|从)", "yi4 xing2"),
    ("五行", r"", r"^(相|阴|八卦|之|学说|缺|属)|^$", "wu3 xing2"),
    ("行", r"(这|那|哪|本)$", r"", "hang2"),
    ("都", r"", r"", "dou1"),
    ("和", r"", r"", "he2"),
    ("的", r"", r"", "de5"),
    ("吗", r"", r"", "ma5"),
    ("吧", r"", r"", "ba5"),
    ("呢", r"", r"", "ne5"),
    ("们", r"", r"", "men5"),
    ("啊", r".$", r"^$", "a5"),
    ("倒", r"", r"^(下|塌|地|闭|霉|在(地|床|沙发|路|血|怀|雪|草|椅))", "dao3"),
    ("倒", r"[树墙车房屋人子也都]$", r"^(了|$)", "dao3"),
    ("倒", r"", r"^(水|茶|酒|垃圾|车|退|数|立|影|着)", "dao4"),
    ("教", r"", r"^(我|你|他|她|书|学生|孩子|大家|会|人|过)", "jiao1"),
    ("教会", r"", r"^(我|你|他|她|了|孩子|学生|大家)", "jiao1 hui4"),
    ("数", r"", r"^(一数|数|星星|到|不清|钱|着|了|完|出|一下|人|羊)", "shu3"),
    ("数", r"数[了一]$", r"", "shu3"),
    ("空", r"(有|没|抽|得)$", r"", "kong4"),
    ("好", r"(爱|喜|嗜|癖)$", r"", "hao4"),
    ("觉", r"(睡|午|一)$", r"", "jiao4"),
    ("系", r"", r"^(鞋|领|带|扣|上|着|好)", "ji4"),
    ("背", r"", r"^(着|起|包|书|在|了)", "bei1"),
    ("种", r"", r"^(在|满|树|花|菜|地|田|草|了|下|着|瓜|上|植|豆|的)", "zhong4"),
    ("中", r"", r"^(了|过|奖|弹|计|招|毒|暑|枪|箭|签|头奖|大奖)", "zhong4"),
    ("盛", r"", r"^(饭|汤|水|满|着|了)", "cheng2"),
    ("弹", r"", r"^(琴|钢琴|吉他|奏|起|唱)", "tan2"),
    ("量", r"", r"^(一|体温|身高|尺|血压|了)", "liang2"),
    ("重", r"", r"^(新|来|做|写|复|建|逢|叠|返|游|阳|温|申)", "chong2"),
    ("多重", r"", r"^.", "duo1 chong2"),
    ("多重", r"", r"^$", "duo1 zhong4"),
    ("差", r"", r"^(一点|不多|点|得|劲|别|异|距)", "cha4"),
    ("扇", r"", r"^(风|扇子|了|着)", "shan1"),
    ("曲", r"[歌乐一首名戏]$", r"", "qu3"),
    ("切", r"", r"", "qie1"),
    ("脏", r"", r"", "zang1"),
    ("谁", r"", r"", "shei2"),
    ("处", r"", r"^(在|于)", "chu3"),
    ("待", r"", r"^(在|着|了|一会|久|不住)", "dai1"),
    ("干", r"([巾发湿晒晾擦烘吹河地水汗泪]|衣服)$", r"^(了|$)", "gan1"),
    ("吐", r"", r"^(了|血|奶)", "tu4"),
    ("落下", r"", r"^了?(东西|功课|作业|课|毛病|病根)", "la4 xia4"),
)  # fmt: skip

# Names of families that are read as no word is.
_FAMILIES = {
    "曾": "zeng1", "单": "shan4", "任": "ren2", "仇": "qiu2", "解": "xie4", "区": "ou1",
    "朴": "piao2", "华": "hua4", "查": "zha1", "盖": "ge3", "燕": "yan1", "翟": "zhai2",
    "乐": "yue4", "缪": "miao4", "覃": "qin2", "尹": "yin3",
}  # fmt: skip
_TITLES = r"^(先生|女士|小姐|老师|教授|经理|医生|主任|师傅|局长|校长|警官|同学|某|氏|太太|大夫)"


def _compiled(
    rules: Sequence[tuple[str, str, str, str]],
) -> dict[str, list[tuple[re.Pattern[str], re.Pattern[str], list[str]]]]:
    """The rules of each word, in order."""
    found: dict[str, list[tuple[re.Pattern[str], re.Pattern[str], list[str]]]] = {}
    for word, before, after, reading in rules:
        rule = (re.compile(before), re.compile(after), reading.split())
        found.setdefault(word, []).append(rule)
    return found


_RULES = _compiled(
    [
        *((name, r"姓$", "", reading) for name, reading in _FAMILIES.items()),
        *((name, "", _TITLES, reading) for name, reading in _FAMILIES.items()),
        *_BY_CONTEXT,
    ]
)


def in_context(word: str, before: str, after: str) -> list[str] | None:
    """The syllables of a word between its neighbours, where they decide them."""
    for left, right, reading in _RULES.get(word, ()):
        if left.search(before) and right.search(after):
            return reading
    return None


def depends(word: str) -> bool:
    """Whether neighbours may decide how a word is read."""
    return word in _RULES


def in_word(word: str, syllables: Sequence[str]) -> list[str]:
    """The syllables of a word, one for each character, corrected where pypinyin guesses."""
    said = list(syllables)
    if len(said) != len(word) or len(word) < 2:
        return said
    for char in set(word):
        for reading, pattern in _patterns().get(char, ()):
            for match in pattern.finditer(word):
                for at in range(*match.span()):
                    if word[at] == char:
                        said[at] = reading
    return said


@lru_cache(maxsize=1)
def _patterns() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """The readings of each character with the words in which it has them."""
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for char, reading, words in _IN_WORDS:
        found.setdefault(char, []).append((reading, re.compile(words)))
    return found
