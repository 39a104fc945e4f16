"""How good a voice is: how near to the person it sounds, how well it is understood, how natural
it is, how fast.

The voice speaks sentences that no training text holds, and is compared with real recordings of
the person in the same run. Each score stands beside what the real recordings reach and, for
similarity, beside what other people reach.

measure.py      a voice and clips -> every score; a short form that chooses among checkpoints
scores.py       what the scores are
sentences.py    the sentences that are spoken, a set for reporting and a set for choosing
data/recognisers.py  who listens; data/words.py  how what was heard is compared
likeness.py     similarity, its ceiling and its floor
delivery.py     pitch, pace, pauses; mos.py  DNSMOS; distortion.py  distance to a real reading
speed.py        seconds of work for a second of speech
reference.py    recordings of the person, in any form
report.py       scores as JSON, as a table, side by side; page.py  as a page with players
"""

from data.recognisers import Recogniser, recogniser
from data.words import error_rates, said
from pipelines.evaluate.measure import (
    Evaluation,
    QuickScores,
    evaluate,
    evaluate_voice,
    other_people,
    quick_scores,
)
from pipelines.evaluate.scores import Naturalness, Scores, SentenceScore, Speed
from pipelines.evaluate.sentences import load_sentences

__all__ = [
    "Evaluation",
    "Naturalness",
    "QuickScores",
    "Recogniser",
    "Scores",
    "SentenceScore",
    "Speed",
    "error_rates",
    "evaluate",
    "evaluate_voice",
    "load_sentences",
    "other_people",
    "quick_scores",
    "recogniser",
    "said",
]
