"""A teacher that starts from a recogniser's file. Its checkpoint and its student's record this, without the file."""

import cv2
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from scriptkd_train.engine.chain import train_chain
from scriptkd_train.models.checkpoint import load_checkpoint
from scriptkd_train.recipe import parse_recipe

INPUT = {"channels": 1, "height": 16, "width_min": 32, "width_max": 32}
STAGE = {"input": INPUT, "epochs": 1, "batch_size": 4, "optimizer": {"name": "adamw", "lr": 0.001, "clip": 1.0}}


def test_teacher_and_student_name_the_weights_that_the_teacher_began_with(tmp_path):
    draw = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 4)):
        for name in ("Latin", "Tamil"):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for i in range(count):
                image = draw.integers(0, 256, (16, 32, 3), dtype=np.uint8)
                cv2.imwrite(str(tmp_path / "data" / split / name / f"{i}.png"), image)
    recogniser = tmp_path / "rec.onnx"
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1], strides=[2, 2]),
            helper.make_node("AveragePool", ["a"], ["b"], kernel_shape=[3, 2]),
        ],
        "recogniser",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 48, "w"])],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(draw.normal(size=(4, 3, 3, 3)).astype(np.float32), "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8), recogniser)
    teacher = {**STAGE, "network": {"name": "ppocr", "arguments": {"model": str(recogniser)}}}
    student = {
        **STAGE,
        "network": {"name": "textnet", "arguments": {"width": 0.25}},
        "distil": {"teacher": "teacher"},
    }
    recipe = parse_recipe({"stages": {"teacher": teacher, "student": student}}, "test")
    train_chain(recipe, "test", tmp_path / "data", tmp_path / "run")
    recogniser.unlink()
    stages = [load_checkpoint(tmp_path / "run" / f"{name}.pt") for name in ("teacher", "student")]
    for checkpoint in stages:
        origin = checkpoint.provenance["pretrained"]["teacher"]
        assert origin["file"] == "rec.onnx" and len(origin["sha256"]) == 64
    assert stages[0].build()(torch.zeros(1, 1, 16, 32, dtype=torch.uint8)).shape == (1, 2)
