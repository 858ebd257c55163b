"""The example for millions of files, on one machine. It is skipped without Ray."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "sdk" / "examples" / "identify_with_ray.py"


@pytest.mark.slow
def test_the_answers_of_ray_are_those_of_the_sdk(model: Path, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'ray[data]'")
    from pyarrow import parquet

    images = tmp_path / "images"
    images.mkdir()
    for i in range(150):
        cv2.imwrite(str(images / f"{i}.png"), np.full((20, 50), 20 + 100 * (i % 3), np.uint8))
    (images / "broken.png").write_text("no image")
    spec = importlib.util.spec_from_file_location("identify_with_ray", EXAMPLE)
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    # A single processor, on which the parts must not wait for each other.
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        example.identify(str(images), str(tmp_path / "answers"), workers=1, model=str(model))
    finally:
        ray.shutdown()
    written = sorted((tmp_path / "answers").iterdir())
    assert written and all(parquet.read_schema(file).equals(example.ANSWERS) for file in written)
    rows = {Path(row["path"]).name: row for row in parquet.read_table(tmp_path / "answers").to_pylist()}
    assert len(rows) == 151
    assert rows["broken.png"]["script"] is None and rows["broken.png"]["error"].startswith("not a PNG")
    for i in range(150):
        row = rows[f"{i}.png"]
        assert (row["script"], row["error"]) == (("Arabic", "Latin", "Klingon")[i % 3], None)
