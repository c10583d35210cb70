"""A student that leaves the notebook: bundle, browser page, phone file.

``bundle`` puts model, tokeniser and label names into one folder and answers
from it, ``browser`` makes a page of such a folder, ``phone`` writes an
ExecuTorch program.
"""
