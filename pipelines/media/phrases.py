"""What a shipped story says of itself, in its own language."""

from __future__ import annotations

_PHRASES = {
    "en": {
        "by": "by {}",
        "told": "read by {}",
        "contents": "Contents",
        "cover": "Cover",
        "picture": "Picture: {}",
        "about": "About this story",
        "notice": "AI-generated: the voice and the pictures of this story were made by a machine.",
    },
    "de": {
        "by": "von {}",
        "told": "gelesen von {}",
        "contents": "Inhalt",
        "cover": "Umschlag",
        "picture": "Bild: {}",
        "about": "Über diese Geschichte",
        "notice": "KI-generiert: Stimme und Bilder dieser Geschichte hat eine Maschine gemacht.",
    },
    "zh": {
        "by": "{} 著",
        "told": "{} 朗读",
        "contents": "目录",
        "cover": "封面",
        "picture": "插图：{}",
        "about": "关于本故事",
        "notice": "人工智能生成：本故事的语音和图片由人工智能合成。",
    },
    "ja": {
        "by": "{} 作",
        "told": "朗読：{}",
        "contents": "目次",
        "cover": "表紙",
        "picture": "絵：{}",
        "about": "この物語について",
        "notice": "AI生成：この物語の音声と絵は機械によって作られました。",
    },
}


def phrase(language: str, name: str) -> str:
    """The phrase `name` in a language (BCP 47 tag), in English where there is none."""
    return _PHRASES.get(primary(language), _PHRASES["en"])[name]


def primary(language: str) -> str:
    """'zh' of 'zh-CN'."""
    return language.replace("_", "-").split("-")[0].lower()
