"""Tuning a language model to write as a person: the adapter, what it is merged into, preferences.

`examples.py` makes tokens of turns, `methods.py` is the table of what is tuned, `loop.py` trl's
trainer as it is used here, `train.py` the tuning itself, `merge.py` writes base plus adapter,
`prefer.py` learns from thumbs.
"""
