"""Every format says that a machine made it, and the marks can be read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from media_story import story
from PIL import Image

from pipelines.media import labels
from pipelines.media.audiofile import write_mp3, write_wav
from pipelines.media.html import write_page
from pipelines.media.labels import DIGITAL_SOURCE_TYPE, Label, read_marks
from pipelines.media.video import write_film
from vits.errors import UserError

LABEL = Label(producer="clone-voice", produce_id='piece "7" & more')


def picture(mode: str = "RGB") -> Image.Image:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    return Image.fromarray(np.tile(ramp, (36, 1))).convert(mode)


def check(path: Path, label: Label = LABEL) -> None:
    marks = read_marks(path)
    assert marks.aigc == json.loads(label.json)
    assert marks.digital_source_type == DIGITAL_SOURCE_TYPE


def test_the_label_has_the_fields_of_the_standard_in_its_order() -> None:
    assert list(json.loads(Label().json)) == [
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ]
    assert json.loads(Label(producer="声音").json)["ContentProducer"] == "声音"
    assert Label(producer="声音").json.isascii()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_pictures_carry_both_marks(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    labels.save_image(picture(), path, label=LABEL)
    check(path)
    with Image.open(path) as image:
        assert image.size == (64, 36)


def test_a_png_has_one_label_and_keeps_the_settings_of_an_image_model(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    labels.save_image(picture(), path, text={"parameters": "a fox, 狐\nSteps: 20"})
    with Image.open(path) as image:
        assert image.info["parameters"] == "a fox, 狐\nSteps: 20"
        assert "TC260" not in image.info["XML:com.adobe.xmp"]  # one label a file
    check(path, Label())


def test_the_same_picture_gives_the_same_bytes() -> None:
    for image_format in ("PNG", "JPEG", "WEBP"):
        first, second = (labels.encode_image(picture(), image_format) for _ in range(2))
        assert first == second


def test_a_picture_that_cannot_be_written_is_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        labels.save_image(picture(), tmp_path / "file" / "picture.png")


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.mp3", write_mp3), ("a.wav", write_wav), ("a.html", write_page)],
)
def test_sound_and_pages_carry_both_marks(tmp_path: Path, name: str, write) -> None:
    write(story(tmp_path), tmp_path / name, label=LABEL)
    check(tmp_path / name)


def test_a_film_carries_both_marks_beside_its_title(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_film(story(tmp_path, word_s=0.02), path, size=(64, 36), label=LABEL)
    check(path)
    assert path.read_bytes().count(b"mdta") >= 1
    assert b"\xa9nam" in path.read_bytes()  # the atom that players show


def test_a_file_without_marks_has_none(tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    picture().save(plain)
    assert read_marks(plain) == labels.Marks(None, None)
    told = story(tmp_path)
    assert read_marks(told.audio) == labels.Marks(None, None)


def test_xmp_of_other_programs_is_read_as_well() -> None:
    packet = labels.xmp_packet(LABEL).decode()
    as_attribute = f'Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"'
    as_element = (
        "><Iptc4xmpExt:DigitalSourceType>"
        f"{DIGITAL_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType></rdf:Description>"
    )
    assert as_attribute in packet
    other = packet.replace(as_attribute, "").replace("/></rdf:RDF>", as_element + "</rdf:RDF>")
    assert labels._marks(None, other).digital_source_type == DIGITAL_SOURCE_TYPE
    assert labels._marks(None, other).aigc == json.loads(LABEL.json)
