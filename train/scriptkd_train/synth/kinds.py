"""Kinds of pictures that show none of a set's scripts. A module of its own, so that evaluation loads no renderer."""

FOREIGN, UNSEEN = "foreign", "unseen"  # words of scripts that a set does not know; unseen: only in the test split

NEGATIVES = {FOREIGN: 0.2, "number": 0.04, "symbol": 0.02, "background": 0.05}
"""Kind -> number of its pictures for each word of a set. A file's name begins with its kind."""

HELD_OUT_FOREIGN = ("Georgian", "Hebrew", "Khmer")
"""Scripts kept out of the training and validation pictures of every set that does not teach them.

They show whether `unknown` covers more than the foreign scripts seen in training. Georgian is an alphabet with its own
shapes, and Hebrew an abjad of square letters. Khmer belongs to India's family, and looks similar to the ten scripts.
"""
