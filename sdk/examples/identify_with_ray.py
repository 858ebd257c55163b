"""The scripts of millions of images, on one machine or a cluster, with Ray Data.

    pip install . 'ray[data]'
    python identify_with_ray.py FOLDER_OF_IMAGES FOLDER_FOR_ANSWERS

Reads the images of any folder that Ray can read, such as s3://bucket/words. Writes Parquet files with the columns path,
script, code, score, best and error. Each worker opens the model once. An image that cannot be used gets an error
instead of an answer, and does not stop the others.
"""

import sys
from typing import Any

import pyarrow
import ray

from scriptkd_sdk import ImageError, ScriptIdentifier

BATCH = 64  # images that a worker is handed at a time
# Parts of a processor that Ray reserves for a worker, a reader and a writer. If the workers reserved all,
# readers and writers would have none, and all would wait for each other for ever. These parts fit one processor
# together. A worker also uses what it does not reserve.
WORKER, READER, WRITER = 0.5, 0.25, 0.25
# Types are given, since a file in which all images were good would otherwise have no type for its errors.
TYPES = {
    "path": "string",
    "script": "string",
    "code": "string",
    "score": "float64",
    "best": "string",
    "error": "string",
}
ANSWERS = pyarrow.schema(list(TYPES.items()))


class Identify:
    """A worker's task: identify its share of the images."""

    def __init__(self, model: str | None = None) -> None:
        self.identifier = ScriptIdentifier(model)

    def __call__(self, batch: dict[str, Any]) -> pyarrow.Table:
        """Take columns `path` and `bytes`, and return the columns of the answers."""
        answers = self.identifier.identify_batch(list(batch["bytes"]))
        columns: dict[str, list[Any]] = {"path": list(batch["path"])}
        for field in ("script", "code", "score", "best"):
            columns[field] = [None if isinstance(answer, ImageError) else getattr(answer, field) for answer in answers]
        columns["error"] = [answer.reason if isinstance(answer, ImageError) else None for answer in answers]
        return pyarrow.table(columns, schema=ANSWERS)


def identify(images: str, answers: str, workers: int, model: str | None = None) -> None:
    """Identify all files of a folder, and write the answers as Parquet. workers: how many models work at once."""
    files = ray.data.read_binary_files(images, include_paths=True, num_cpus=READER)
    found = files.map_batches(
        Identify,
        fn_constructor_args=(model,),
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=WORKER,
    )
    found.write_parquet(answers, ray_remote_args={"num_cpus": WRITER})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    ray.init()
    identify(sys.argv[1], sys.argv[2], workers=int(ray.cluster_resources()["CPU"]))
