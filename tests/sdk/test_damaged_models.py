"""Damaged copies of the bundled model: each is either read, or refused with one line of the SDK's own error."""

from importlib.resources import files

from hypothesis import given, settings
from hypothesis import strategies as st

from scriptkd_sdk import ScriptkdError, modelfile

MODEL = (files("scriptkd_sdk") / "models" / "student.onnx").read_bytes()
PLACES = st.integers(0, len(MODEL) - 1)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(PLACES, st.integers(0, 255)), min_size=1, max_size=4), st.none() | PLACES, st.booleans())
def test_a_damaged_model_is_read_or_refused_in_one_line(changes, end, at_the_ends):
    data = bytearray(MODEL)
    for place, value in changes:
        # Weights fill the middle of the file; what tells more often lies at its ends.
        place = place % 4096 - 2048 if at_the_ends else place
        data[place] = value
    try:
        modelfile.load_content("damaged", bytes(data[:end]))
    except ScriptkdError as error:
        assert "\n" not in str(error)
