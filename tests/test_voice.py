"""A voice speaks: streamed as offline, the same every time, its words in their places."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import make_tiny_voice, speech

from vits.audio import Audio
from vits.card import Card, write_card
from vits.checkpoint import CONFIG
from vits.errors import UserError
from vits.text import Lexicon
from vits.voice import KNEE, Speech, Voice, _finished

TEXT = (
    "Dr. Smith paid $5 in 1999, for a 20 kg box. [pause:1] Then he left! "
    "Nobody ever saw him again, although many went out to look for him."
)


@pytest.fixture(scope="module")
def voice(tiny_voice: Path) -> Voice:
    return Voice.load(tiny_voice)


def joined(speeches: Iterator[Speech]) -> np.ndarray:
    return np.concatenate([s.audio.samples for s in speeches])


# ---------------------------------------------------------------- sound


@pytest.mark.parametrize("soon", [False, True])
def test_streaming_equals_offline(voice: Voice, soon: bool) -> None:
    offline = joined(voice.speak(TEXT, soon=soon, seed=3))
    pieces = list(voice.stream_audio(TEXT, soon=soon, seed=3))
    streamed = np.concatenate([piece.samples for piece in pieces])
    np.testing.assert_allclose(streamed, offline, atol=1e-5)
    assert pieces[0].duration_s < 0.3


def test_the_same_words_seed_and_voice_give_the_same_samples(tiny_voice: Path) -> None:
    one, other = (joined(Voice.load(tiny_voice).speak(TEXT)) for _ in range(2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, joined(Voice.load(tiny_voice).speak(TEXT, seed=1)))


def test_a_sentence_sounds_the_same_wherever_it_stands(voice: Voice) -> None:
    alone = next(iter(voice.speak("Then he left!")))
    among = [s for s in voice.speak(TEXT) if s.text == "Then he left!"]
    assert np.array_equal(among[0].audio.samples, alone.audio.samples)


def test_a_text_in_chunks_is_the_same_text(voice: Voice) -> None:
    whole = list(voice.speak(TEXT))
    chunks = list(voice.speak(TEXT[i : i + 7] for i in range(0, len(TEXT), 7)))
    assert [s.words for s in chunks] == [s.words for s in whole]
    assert all(
        np.array_equal(a.audio.samples, b.audio.samples) for a, b in zip(whole, chunks, strict=True)
    )


def test_sound_begins_before_the_text_ends(voice: Voice) -> None:
    def typed() -> Iterator[str]:
        yield "The first sentence is here. The second "
        raise AssertionError("the first sentence should have been spoken by now")

    assert next(iter(voice.speak(typed()))).text == "The first sentence is here."


def test_speed_and_noise_do_what_they_say(voice: Voice) -> None:
    def length(speed: float) -> float:
        return sum(s.words[-1].end_s for s in voice.speak(TEXT, speed=speed))

    assert length(0.5) > 1.5 * length(1.0) > 2.0 * length(2.0)
    still = [joined(voice.speak("Hello.", noise=0.0, noise_duration=0.0, seed=s)) for s in (1, 2)]
    assert np.array_equal(*still)
    assert not np.array_equal(still[0], joined(voice.speak("Hello.", noise=1.0)))


def test_speakers_sound_different_and_have_their_own_language(tiny_voice: Path) -> None:
    anna, ben = Voice.load(f"{tiny_voice}:Anna"), Voice.load(f"{tiny_voice}:ben")
    assert (anna.speaker.name, ben.speaker.name) == ("Anna", "Ben")
    said = {
        name: joined(v.speak("Hallo, wie geht es?", language="de"))
        for name, v in (("anna", anna), ("ben", ben))
    }
    assert not np.array_equal(said["anna"], said["ben"])
    assert np.array_equal(said["ben"], joined(ben.speak("Hallo, wie geht es?")))
    assert np.array_equal(
        said["ben"], joined(anna.speak("Hallo, wie geht es?", speaker="Ben", language="de"))
    )


def test_silence_meets_speech_without_a_click(voice: Voice) -> None:
    for said in voice.speak(TEXT):
        samples, pause = said.audio.samples, said.audio.samples[::-1]
        end = len(samples) - int(np.argmax(pause != 0))
        loudest = np.abs(samples).max()
        assert np.abs(samples[:3]).max() < 0.05 * loudest
        assert np.abs(samples[end - 3 : end]).max() < 0.05 * loudest


def test_a_pause_is_as_long_as_the_text_says(voice: Voice) -> None:
    first, second = list(voice.speak("One. [pause:1.5] Two."))
    silent = int(np.argmax(first.audio.samples[::-1] != 0)) / voice.sample_rate
    assert silent == pytest.approx(1.5, abs=0.01)
    assert second.text == "Two."


def test_nothing_leaves_the_range_and_nothing_quiet_is_touched() -> None:
    ramp = np.linspace(-3, 3, 1001, dtype=np.float32)
    out = _finished(ramp)
    assert np.abs(out).max() <= 1.0
    assert (np.diff(out) >= 0).all()
    assert np.array_equal(out[np.abs(ramp) <= KNEE], ramp[np.abs(ramp) <= KNEE])
    assert np.abs(np.diff(out)).max() <= np.diff(ramp).max() + 1e-6  # no jump at the knee


# ---------------------------------------------------------------- words


def test_words_keep_their_place_in_the_source_and_follow_each_other(voice: Voice) -> None:
    for said in voice.speak(TEXT, soon=True):
        assert TEXT[said.char_start : said.char_end] == said.text
        assert [TEXT[w.char_start : w.char_end] for w in said.words] == [w.text for w in said.words]
        times = [t for w in said.words for t in (w.start_s, w.end_s)]
        assert times == sorted(times)
        assert times[0] > 0
        assert times[-1] <= said.audio.duration_s
    spoken = [w.text for s in voice.speak(TEXT) for w in s.words]
    assert spoken[:6] == ["Dr.", "Smith", "paid", "$5", "in", "1999"]


def test_times_are_those_of_the_models_own_durations(voice: Voice) -> None:
    (planned,) = voice.plan("Hello there.")
    utterance = planned.utterance
    (sounds,) = voice._sounds([planned])
    (said,) = voice.speak("Hello there.")
    durations = sounds.latents.durations[0].tolist()
    for word, timing in zip(utterance.words, said.words, strict=True):
        before = sum(durations[: word.symbol_start])
        within = sum(durations[word.symbol_start : word.symbol_end])
        assert timing.start_s == pytest.approx(before * 256 / 22050)
        assert timing.end_s - timing.start_s == pytest.approx(within * 256 / 22050)


def test_a_voice_trained_with_blanks_has_the_same_words(tmp_path: Path) -> None:
    blanks = Voice.load(make_tiny_voice(tmp_path / "blanks", add_blank=True))
    (said,) = blanks.speak("Hello there, all of you.")
    pause = 0.35
    assert [w.text for w in said.words] == ["Hello", "there", "all", "of", "you"]
    assert said.words[-1].end_s < said.audio.duration_s - pause
    starts = [w.start_s for w in said.words]
    assert starts == sorted(set(starts))


@pytest.mark.parametrize("decoder", ["istft", "hifigan"])
def test_the_papers_parts_speak_too(tmp_path: Path, decoder: str) -> None:
    from vits.config import HifiganConfig

    folder = tmp_path / decoder
    small = HifiganConfig(initial_channels=16, resblock_kernel_sizes=(3,),
                          resblock_dilation_sizes=((1, 3),))  # fmt: skip
    make_tiny_voice(folder, decoder=decoder, hifigan=small, speaker="table")
    voice = Voice.load(folder)
    offline = joined(voice.speak("Hello."))
    streamed = np.concatenate([p.samples for p in voice.stream_audio("Hello.")])
    np.testing.assert_allclose(streamed, offline, atol=1e-5)


def test_the_lexicon_is_asked(voice: Voice, tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_text("Nguyen\tnwin\n", "utf-8")
    plain, told = (
        joined(voice.speak("Nguyen came.", lexicon=lexicon))
        for lexicon in (None, Lexicon.load(path))
    )
    assert not np.array_equal(plain, told)


# ---------------------------------------------------------------- what cannot be spoken


def test_what_cannot_be_spoken_is_reported(voice: Voice) -> None:
    (said,) = voice.speak("She said 你好 to him.")
    assert said.unknown == ("你", "好")
    assert [w.text for w in said.words] == ["She", "said", "to", "him"]


def test_sounds_the_voice_never_learned_are_reported_and_left_out(
    tiny_voice: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_voice, tmp_path / "deaf")
    values = json.loads((folder / CONFIG).read_text("utf-8"))
    values["symbols"] = ["?!" if s == "θ" else s for s in values["symbols"]]
    (folder / CONFIG).write_text(json.dumps(values), "utf-8")
    (said,) = Voice.load(folder).speak("I think so.")
    assert said.unknown == ("θ",)
    assert [w.text for w in said.words] == ["I", "think", "so"]
    assert said.words[1].end_s > said.words[1].start_s


def test_where_there_is_nothing_to_say_there_is_silence(voice: Voice) -> None:
    assert list(voice.speak("")) == []
    assert list(voice.stream_audio("  \n ")) == []
    for said in voice.speak("[pause:0.5] * * *"):
        assert not said.audio.samples.any()
        assert said.words == ()


# ---------------------------------------------------------------- settings and errors


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speaker": "Bem"}, r"no speaker 'Bem'.*Did you mean Ben\?"),
        ({"speaker": "zzz"}, r"no speaker 'zzz'.*Anna, Ben"),
        ({"language": "ja"}, r"does not speak 'ja'.*en, de"),
        ({"speed": 0.4}, "speed of 0.4 cannot be.*0.5 to 2.0"),
        ({"speed": float("nan")}, "speed of nan"),
        ({"noise": -0.1}, "noise of -0.1"),
        ({"noise_duration": 9.0}, "noise_duration of 9.0"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_once(
    voice: Voice, settings: dict[str, object], message: str
) -> None:
    for speak in (voice.speak, voice.stream_audio):
        with pytest.raises(UserError, match=message):
            speak("Hello.", **settings)  # before the first sentence is asked for


def test_a_voice_that_is_not_there_is_refused(library: Path, tiny_voice: Path) -> None:
    with pytest.raises(UserError, match=r"no speaker 'Carl'.*Anna, Ben"):
        Voice.load(f"{tiny_voice}:Carl")
    with pytest.raises(UserError, match="There is no voice 'nobody'"):
        Voice.load("nobody")
    with pytest.raises(UserError, match="no device 'abacus'"):
        Voice.load(tiny_voice, device="abacus")


def test_a_voice_tells_about_itself(tiny_voice: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_voice, tmp_path / "known")
    write_card(folder, Card(name="Known", who="Nobody in particular"))
    voice = Voice.load(folder)
    assert voice.sample_rate == 22050
    assert voice.languages == ("en", "de")
    assert [(s.name, s.gender) for s in voice.speakers] == [("Anna", "female"), ("Ben", "male")]
    assert voice.card.who == "Nobody in particular"


def test_the_hash_follows_from_weights_and_configuration_alone(
    tiny_voice: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_voice, tmp_path / "copy")
    write_card(folder, Card(who="someone"))
    first = Voice.load(tiny_voice).hash
    assert Voice.load(folder).hash == first
    assert len(first) == len(hashlib.sha256().hexdigest())
    text = (folder / CONFIG).read_text("utf-8")
    (folder / CONFIG).write_text(text.replace("0.667", "0.5"), "utf-8")
    assert Voice.load(folder).hash != first


# ---------------------------------------------------------------- conversion


def test_conversion_keeps_the_length_and_changes_the_speaker(voice: Voice) -> None:
    source = speech(1.0, 16000)
    to_anna = voice.convert(source, source="Ben", target="Anna")
    to_ben = voice.convert(source, source="Ben", target="Ben")
    assert to_anna.sample_rate == 22050
    assert to_anna.duration_s == pytest.approx(1.0, abs=1e-3)
    assert not np.array_equal(to_anna.samples, to_ben.samples)
    assert np.array_equal(
        to_anna.samples, voice.convert(source, source="Ben", target="Anna").samples
    )


def test_conversion_takes_embeddings_of_strangers_and_very_short_sound(voice: Voice) -> None:
    stranger = np.full(256, 1 / 16, dtype=np.float32)
    short = Audio(speech(1.0).samples[:50], 22050)
    out = voice.convert(short, source=stranger, target="Anna")
    assert len(out.samples) == 50
    with pytest.raises(UserError, match=r"no embedding of shape \(3,\)"):
        voice.convert(short, source=np.zeros(3, np.float32))


def test_a_voice_of_one_unnamed_speaker_cannot_convert(tmp_path: Path) -> None:
    folder = make_tiny_voice(tmp_path / "one", speaker="none", gin_channels=0)
    voice = Voice.load(folder)
    assert joined(voice.speak("Hello.")).any()
    with pytest.raises(UserError, match="one speaker"):
        voice.convert(speech(1.0), source="Anna")


# ---------------------------------------------------------------- memory


def test_a_long_text_is_spoken_in_flat_memory(tiny_voice: Path) -> None:
    """Twice the text, the same memory: measured in a process of its own."""
    code = f"""
import itertools, random, resource, torch
torch.set_num_threads(1)
from vits.voice import Voice
rng = random.Random(0)
words = "the a time person year way day thing man world life hand part child eye woman".split()
def chunks(n):
    for _ in range(n):
        yield " ".join(rng.choices(words, k=rng.randint(3, 30))).capitalize() + ". "
voice = Voice.load("{tiny_voice}")
def spoken(n):
    for said in voice.speak(chunks(n)):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(spoken(40), spoken(80))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = map(int, run.stdout.split())
    unit = 1 if sys.platform == "darwin" else 1024
    assert (second - first) * unit < 30e6


def test_spoken_together_each_sounds_as_it_does_alone(tiny_voice: Path) -> None:
    voice = Voice.load(tiny_voice)
    wishes = [("Good evening.", "Anna", 1), ("It is a long way home, she said.", "Ben", 2)]
    planned = [
        next(voice.plan(text, speaker=who, language="en", seed=seed)) for text, who, seed in wishes
    ]
    planned.insert(1, next(voice.plan("[pause:0.5] Yes.", language="en")))
    for together, one in zip(voice.speak_planned(planned), planned, strict=True):
        alone = voice.speak_planned([one])[0]
        assert together.words == alone.words
        assert together.text == alone.text
        np.testing.assert_allclose(together.audio.samples, alone.audio.samples, atol=1e-4)


def test_speeds_that_differ_are_not_spoken_together(tiny_voice: Path) -> None:
    voice = Voice.load(tiny_voice)
    planned = [next(voice.plan("Yes.", speed=speed)) for speed in (1.0, 1.5)]
    with pytest.raises(AssertionError):
        voice.speak_planned(planned)


def test_emphasised_words_are_longer_and_louder_and_keep_their_places(tiny_voice: Path) -> None:
    voice, how = Voice.load(tiny_voice), {"noise": 0.0, "noise_duration": 0.0}
    text, marked = "It was very dark.", "It was [emphasis]very[/emphasis] dark."
    (plain,), (said,) = voice.speak(text, **how), voice.speak(marked, **how)
    lengths = [[w.end_s - w.start_s for w in speech.words] for speech in (plain, said)]
    ratios = [b / a for a, b in zip(*lengths, strict=True)]
    assert ratios[2] > 1.15
    assert ratios[0] == ratios[1] == pytest.approx(1.0)
    assert [marked[w.char_start : w.char_end] for w in said.words] == ["It", "was", "very", "dark"]
    pieces = voice.stream_audio(marked, soon=False, **how)
    joined = np.concatenate([piece.samples for piece in pieces])
    np.testing.assert_allclose(joined, said.audio.samples, atol=1e-4)


def test_emphasis_in_one_of_a_batch_leaves_the_others_alone(tiny_voice: Path) -> None:
    voice, how = Voice.load(tiny_voice), {"noise": 0.0, "noise_duration": 0.0}
    texts = ["It was [emphasis]very[/emphasis] dark.", "The mouse slept on."]
    planned = [next(voice.plan(text, **how)) for text in texts]
    alone = [voice.speak_planned([one])[0] for one in planned]
    together = voice.speak_planned(planned)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one.audio.samples, other.audio.samples, atol=1e-3)
