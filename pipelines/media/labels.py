"""Marks that say a file was made by a machine, in and out of every format that is shipped.

Two marks, one of each per file:
- the `AIGC` JSON of GB 45438-2025 (in force since 2025-09-01): PNG text chunk, ID3 TXXX, WAV
  chunk, MP4 key, HTML and EPUB meta, or the XMP property `TC260:AIGC` where a format has no
  place of its own;
- the IPTC `DigitalSourceType`, by which article 50 of the EU AI Act can be met: XMP, and an HTML
  meta.

XMP is ISO 16684-1; where each format keeps it is part 3 of Adobe's XMP specification.
"""

from __future__ import annotations

import html
import io
import json
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pipelines.media import mp4
from vits.files import atomic_file

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PRODUCER = "clone-voice"
PNG_LEVEL = 2  # of compression: a quarter of the time of the usual 6, for a tenth more bytes

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC_NAMESPACE = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
AIGC_NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
_OPF = "http://www.idpf.org/2007/opf"
_PNG_XMP = "XML:com.adobe.xmp"
_IMAGE_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


@dataclass(frozen=True)
class Label:
    """What GB 45438-2025 asks for: who made it, and the maker's number of the piece."""

    producer: str = PRODUCER
    produce_id: str = ""

    @property
    def json(self) -> str:
        """The AIGC field, ASCII only. Label "1": it is known to be generated."""
        fields = {
            "Label": "1",
            "ContentProducer": self.producer,
            "ProduceID": self.produce_id,
            "ReservedCode1": "",
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        }
        return json.dumps(fields, separators=(",", ":"))


DEFAULT_LABEL = Label()


@dataclass(frozen=True)
class Marks:
    """What `read_marks` found in a file; None where a mark is missing."""

    aigc: dict[str, str] | None
    digital_source_type: str | None


# ---------------------------------------------------------------- writing


def xmp_packet(label: Label | None = None) -> bytes:
    """An XMP packet with the source type, and with `TC260:AIGC` if `label` is given."""
    aigc = (
        f' xmlns:TC260="{AIGC_NAMESPACE}" TC260:AIGC="{html.escape(label.json)}"' if label else ""
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{IPTC_NAMESPACE}"'
        f' Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"{aigc}/>'
        "</rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()


def encode_image(
    image: Image.Image,
    image_format: str,
    *,
    label: Label = DEFAULT_LABEL,
    text: Mapping[str, str] | None = None,
    **options: Any,
) -> bytes:
    """`image` as labelled bytes of a PNG, JPEG or WEBP. The same image gives the same bytes.

    `text` adds PNG text chunks (the settings of an image model, say). `options` go to Pillow.
    """
    buffer = io.BytesIO()
    if image_format == "PNG":
        how = {"compress_level": PNG_LEVEL} | options
        image.save(buffer, "PNG", pnginfo=_png_info(label, text or {}), **how)
    elif image_format in ("JPEG", "WEBP"):
        assert not text, "only PNG has text chunks"
        image.save(buffer, image_format, xmp=xmp_packet(label), **options)
    else:
        raise ValueError(f"{image_format} images are not labelled here")
    return buffer.getvalue()


def save_image(
    image: Image.Image,
    path: str | Path,
    *,
    label: Label = DEFAULT_LABEL,
    text: Mapping[str, str] | None = None,
    **options: Any,
) -> None:
    """Write a labelled .png, .jpg or .webp, whole or not at all. UserError if it cannot be."""
    path = Path(path)
    image_format = _IMAGE_FORMATS[path.suffix.lower()]
    data = encode_image(image, image_format, label=label, text=text, **options)
    with atomic_file(path) as file:
        file.write(data)


def _png_info(label: Label, text: Mapping[str, str]) -> PngInfo:
    info = PngInfo()
    info.add_text("AIGC", label.json)
    info.add_itxt(_PNG_XMP, xmp_packet().decode())
    for name, value in text.items():
        info.add_text(name, value)  # Pillow takes iTXt where Latin-1 does not reach
    return info


def html_meta(label: Label = DEFAULT_LABEL) -> str:
    """Two meta elements for the head of a page."""
    return (
        f'<meta name="AIGC" content="{html.escape(label.json)}">\n'
        f'<meta name="DigitalSourceType" content="{DIGITAL_SOURCE_TYPE}">'
    )


def comments(label: Label = DEFAULT_LABEL) -> dict[str, str]:
    """Vorbis comments for FLAC and Opus."""
    return {"AIGC": label.json, "DigitalSourceType": DIGITAL_SOURCE_TYPE}


def wav_chunks(label: Label = DEFAULT_LABEL) -> bytes:
    """RIFF chunks to stand after a WAV's sound."""
    return _chunk(b"AIGC", label.json.encode()) + _chunk(b"_PMX", xmp_packet())


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2)


# ---------------------------------------------------------------- reading


def read_marks(path: str | Path) -> Marks:
    """The marks in an image, a sound, a film or a page. ValueError for another suffix."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in _IMAGE_FORMATS:
        return _image_marks(path)
    if suffix in (".mp4", ".m4a", ".m4b", ".mp3", ".flac", ".opus"):
        return _container_marks(path)
    if suffix == ".wav":
        with path.open("rb") as file:
            return _wav_marks(file)
    if suffix in (".html", ".htm"):
        return _page_marks(path.read_text("utf-8"))
    if suffix == ".epub":
        return _book_marks(path)
    raise ValueError(f"no labels are known for {suffix}")


def _marks(aigc: str | None, xmp: bytes | str | None) -> Marks:
    in_xmp = _xmp_properties(xmp) if xmp else {}
    aigc = aigc or in_xmp.get(f"{{{AIGC_NAMESPACE}}}AIGC")
    return Marks(
        json.loads(aigc) if aigc else None, in_xmp.get(f"{{{IPTC_NAMESPACE}}}DigitalSourceType")
    )


def _xmp_properties(packet: bytes | str) -> dict[str, str]:
    """Simple properties of an XMP packet, written as attributes or as elements."""
    text = packet.decode("utf-8") if isinstance(packet, bytes) else packet
    start, end = text.index("<x:xmpmeta"), text.index("</x:xmpmeta>")
    root = ElementTree.fromstring(text[start:end] + "</x:xmpmeta>")
    found: dict[str, str] = {}
    for description in root.iter(f"{{{_RDF}}}Description"):
        found |= description.attrib
        found |= {child.tag: child.text for child in description if child.text}
    return found


def _image_marks(path: Path) -> Marks:
    with Image.open(path) as image:
        return _marks(image.info.get("AIGC"), image.info.get("xmp", image.info.get(_PNG_XMP)))


def _container_marks(path: Path) -> Marks:
    import av

    with path.open("rb") as file:
        with av.open(file) as container:
            tags = dict(container.metadata)
            if path.suffix.lower() == ".opus":  # whose comments belong to the stream
                tags |= container.streams[0].metadata
        if path.suffix.lower() in (".flac", ".opus"):
            by_name = {name.lower(): text for name, text in tags.items()}
            found = _marks(by_name.get("aigc"), None)
            return replace(found, digital_source_type=by_name.get("digitalsourcetype"))
        if path.suffix.lower() == ".mp3":
            xmp: bytes | str | None = tags.get("id3v2_priv.XMP")
        else:
            xmp = mp4.read_xmp(file)
    return _marks(tags.get("AIGC"), xmp)


def _book_marks(path: Path) -> Marks:
    with zipfile.ZipFile(path) as book:
        package = next(name for name in book.namelist() if name.endswith(".opf"))
        root = ElementTree.fromstring(book.read(package))
    metas = {meta.get("property"): meta.text for meta in root.iter(f"{{{_OPF}}}meta")}
    aigc = metas.get("tc260:AIGC")
    return Marks(json.loads(aigc) if aigc else None, metas.get("iptc:DigitalSourceType"))


def _wav_marks(file: IO[bytes]) -> Marks:
    chunks: dict[bytes, bytes] = {}
    file.seek(12)
    while len(header := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        if name in (b"AIGC", b"_PMX"):
            chunks[name] = file.read(size)
            file.seek(size % 2, 1)
        else:
            file.seek(size + size % 2, 1)
    return _marks(chunks.get(b"AIGC", b"").decode(), chunks.get(b"_PMX"))


class _Metas(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag == "meta" and fields.get("name"):
            self.found[str(fields["name"])] = fields.get("content") or ""


def _page_marks(page: str) -> Marks:
    metas = _Metas()
    metas.feed(page)
    aigc = metas.found.get("AIGC")
    return Marks(json.loads(aigc) if aigc else None, metas.found.get("DigitalSourceType"))
