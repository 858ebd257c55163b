"""Kinds of pictures without text of the set's scripts. By themselves, so that evaluation loads no renderer."""

FOREIGN, UNSEEN = "foreign", "unseen"  # words of scripts that a set does not know; unseen: in its test split alone

NEGATIVES = {FOREIGN: 0.05, "number": 0.02, "symbol": 0.01, "background": 0.04}
"""Kind -> how many pictures of it there are for each word of a set. A file's name begins with its kind."""

HELD_OUT_FOREIGN = ("Georgian", "Hebrew", "Khmer")
"""Scripts that never are in the training or validation pictures of a set that does not know them.

They tell whether `unknown` means more than "one of the foreign scripts that were shown": Georgian is an alphabet of its
own shapes, Hebrew an abjad of square letters, Khmer of India's family and near to what the ten scripts look like.
"""
