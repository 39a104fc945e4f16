"""What a shipped story says of itself, in its own language."""

from __future__ import annotations

_PHRASES = {
    "en": {
        "label": "AI-generated",
        "spoken": "This story was told by a voice that a machine made.",
        "by": "by {}",
        "told": "read by {}",
        "contents": "Contents",
        "cover": "Cover",
        "picture": "Picture: {}",
        "about": "About this story",
        "notice": "AI-generated: the voice and the pictures of this story were made by a machine.",
    },
    "de": {
        "label": "KI-generiert",
        "spoken": "Diese Geschichte hat eine künstliche Stimme erzählt.",
        "by": "von {}",
        "told": "gelesen von {}",
        "contents": "Inhalt",
        "cover": "Umschlag",
        "picture": "Bild: {}",
        "about": "Über diese Geschichte",
        "notice": "KI-generiert: Stimme und Bilder dieser Geschichte hat eine Maschine gemacht.",
    },
    "zh": {
        "label": "人工智能生成",
        "spoken": "本故事的声音由人工智能合成。",
        "by": "{} 著",
        "told": "{} 朗读",
        "contents": "目录",
        "cover": "封面",
        "picture": "插图：{}",
        "about": "关于本故事",
        "notice": "人工智能生成：本故事的语音和图片由人工智能合成。",
    },
    "ja": {
        "label": "AI生成",
        "spoken": "この物語の声は人工知能によるものです。",
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
