"""The studio: everything of the project on one page in the browser.

The page calls the same library functions as the commands; long work is jobs (`store.py`) in child
processes (`runner.py`, `work.py`) that outlive the page and go on after a restart.
"""
