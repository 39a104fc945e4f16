"""The numbers in the README, measured: `python -m bench [NAME...]` prints them as one table.

synthesis     text to waveform on one thread, beside transformers' VITS of the paper's size
first_audio   how soon the first sound of a text is there
memory        what `clone-voice say` needs while it reads a long text
cloning_step  one step of training, beside the same code in the paper's sizes
startup       `clone-voice --help`
story         `make story` from nothing, and again (long: only when named)

What is compared is measured in one run, turn about, after a warm-up; medians are reported. Every
measurement has a process of its own, so that none inherits threads, caches or memory of another.
"""
