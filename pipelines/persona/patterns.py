"""What habits are looked for: greetings, partings, laughter, ways of deciding and reasoning."""

from __future__ import annotations

import re

_LINE = r"(?:^|(?<=[\n.!?。！？]))\s*"
GREETINGS = re.compile(
    _LINE + r"(good (?:morning|evening|afternoon)|hi(?: there)?|hello|hey+|yo|morning|hiya|早上好|"
    r"早安|早[呀啊哇]?|晚上好|下午好|"
    r"你好呀|你好|您好|哈喽|嗨|在吗|在不|おはよう|こんにちは|こんばんは|hallo|guten (?:tag|"
    r"morgen)|moin)(?![^\W_])",
    re.I | re.M,
)
PARTINGS = re.compile(
    r"(?<![^\W_])(good ?night|bye(?: bye)?|see you|see ya|take care|talk later|cheers|晚安|"
    r"拜拜|再见|回见|回头聊|明天见|"
    r"先忙|先睡了|おやすみ|またね|tschüss|bis bald)(?![a-z])",
    re.I,
)
LAUGHTER = re.compile(
    r"\b(?:a?(?:ha){2,}h?|(?:he){2,}|lol+|lmao|rofl|haha+)\b|[哈]{2,}|[嘿呵嘻]{2,}|233+|笑死|"
    r"w{3,}|草|(?:😂|🤣)",
    re.I,
)
# Each way of deciding or reasoning, with the words that show it.
REASONING: dict[str, re.Pattern[str]] = {
    "gives reasons": re.compile(r"\bbecause\b|\bthat's why\b|\bsince (?:it|you|we|I)\b|因为|"
    r"所以|毕竟|だから", re.I),
    "weighs one side against the other": re.compile(
        r"\bon the (?:one|other) hand\b|\bbut then\b|\bpros and cons\b|一方面|另一方面|"
        r"不过话说|利弊|各有", re.I
    ),
    "goes step by step": re.compile(
        r"\bfirst(?:ly)?\b.{0,200}\b(?:then|second|after that)\b|\bstep by step\b|首先|"
        r"先.{1,40}再|一步一步|第一.{1,80}第二",
        re.I | re.S,
    ),
    "says how sure they are": re.compile(
        r"\bI(?:'m| am) (?:not )?(?:sure|certain)\b|\bprobably\b|\bmaybe\b|\bI (?:think|"
        r"guess)\b|我觉得|我猜|大概|可能|应该是|不确定", re.I
    ),
    "asks before deciding": re.compile(
        r"\bwhat do you think\b|\bshould (?:I|we)\b.*\?|\bhow about\b|你觉得呢|要不要|"
        r"怎么样[？?]|你说呢", re.I
    ),
    "asks for numbers or proof": re.compile(
        r"\bhow (?:much|many|long)\b|\bwhat does it cost\b|\bevidence\b|"
        r"\bwhere does that come from\b|多少钱|多久|有数据|有证据|来源", re.I
    ),
    "sleeps on it": re.compile(r"\bsleep on it\b|\blet me think\b|\bthink about it\b|"
    r"\bno rush\b|再想想|考虑一下|不急|想一想", re.I),
    "decides quickly": re.compile(r"\blet's (?:just )?(?:go|do it)\b|\bdone deal\b|"
    r"\bjust do it\b|就这么定|说干就干|就这样吧|走起|定了", re.I),
    "looks at the cost": re.compile(r"\btoo expensive\b|\bnot worth\b|\bworth it\b|"
    r"\bcheaper\b|太贵|划算|性价比|不值|省钱", re.I),
    "falls back on a plan B": re.compile(r"\bworst case\b|\bplan b\b|\bif (?:that|"
    r"it) (?:fails|doesn't)\b|大不了|实在不行|万一|备选", re.I),
    "lets things go": re.compile(r"\bnever mind\b|\bwhatever\b|\bit is what it is\b|算了|随便|"
    r"无所谓|都行", re.I),
    "changes their mind openly": re.compile(r"\bI was wrong\b|\bgood point\b|\byou(?:'re|"
    r" are) right\b|on second thought|我错了|你说得对|有道理|改主意", re.I),
}  # fmt: skip
