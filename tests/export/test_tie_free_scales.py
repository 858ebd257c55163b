"""Sums in 8 bits: no pair of bytes may depend on how a processor rounds float32."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from scriptkd_export import draw_samples, export_graph, quantize_int8
from scriptkd_export.samples import batches
from scriptkd_export.tie_free_scales import QuantParams, tie_free, tie_free_sums
from scriptkd_train.models.checkpoint import Checkpoint

BYTES = np.arange(256, dtype=np.float32)
# A tie that was met: (161 - 132) * 1.706897 = 49.5, within 2.4e-7.
MET = (
    QuantParams(0.03062620386481285, 0),
    QuantParams(0.10119695961475372, 132),
    QuantParams(0.05928710848093033, 0),
)


def added(first: QuantParams, second: QuantParams, result: QuantParams) -> list[np.ndarray]:
    """All pairs' sums, uint8 [256, 256], in float32 in orders that processors and runtimes may choose."""
    scales = [np.float32(grid.scale) for grid in (first, second, result)]
    a, b = scales[0] / scales[2], scales[1] / scales[2]
    zeros = [np.float32(grid.zero) for grid in (first, second, result)]
    fixed = zeros[2] - (a * zeros[0] + b * zeros[1])
    x, y = BYTES[:, None], BYTES[None, :]
    inner = (y.astype(np.float64) * b + fixed).astype(np.float32)  # fused: one rounding for product and sum
    sums = [
        x * a + (y * b + fixed),
        (x.astype(np.float64) * a + inner).astype(np.float32),
        (x - zeros[0]) * a + (y - zeros[1]) * b + zeros[2],
        ((x - zeros[0]) * scales[0] + (y - zeros[1]) * scales[1]) / scales[2] + zeros[2],
    ]
    return [np.rint(each).clip(0, 255).astype(np.uint8) for each in sums]


def agree(first: QuantParams, second: QuantParams, result: QuantParams) -> bool:
    ways = added(first, second, result)
    return all((way == ways[0]).all() for way in ways)


def test_a_tie_that_was_met_is_avoided() -> None:
    first, second, result = MET
    assert not agree(*MET)
    found = tie_free(*MET)
    assert agree(first, second, found)
    assert result.scale <= found.scale <= 1.02 * result.scale and found.zero == result.zero


def test_what_chance_leaves_between_two_results_is_mended() -> None:
    random = np.random.default_rng(0)

    def draw() -> tuple[QuantParams, QuantParams, QuantParams]:
        scales = np.exp(random.uniform(np.log(0.01), np.log(0.1), 2))
        first, second = QuantParams(scales[0], 0), QuantParams(scales[1], int(random.integers(100, 160)))
        return first, second, QuantParams(random.uniform(0.7, 1.2) * max(scales), int(random.choice([0, 120])))

    shaky = [each for each in (draw() for _ in range(200)) if not agree(*each)]
    assert len(shaky) >= 5
    assert all(agree(first, second, tie_free(first, second, result)) for first, second, result in shaky[:8])


@pytest.fixture(scope="module")
def quantized(textnet: Checkpoint) -> onnx.ModelProto:
    images = list(batches(draw_samples(6), textnet.preprocessing, 16))
    return quantize_int8(export_graph(textnet), images, "uint8")


def test_every_sum_of_an_exported_model(quantized: onnx.ModelProto) -> None:
    numbers = {each.name: numpy_helper.to_array(each) for each in quantized.graph.initializer}
    made = {name: node for node in quantized.graph.node for name in node.output}

    def grid(node: onnx.NodeProto) -> QuantParams:
        return QuantParams(float(numbers[node.input[1]]), int(numbers[node.input[2]]))

    sums = [
        ([grid(made[name]) for name in made[node.input[0]].input], grid(node))
        for node in quantized.graph.node
        if node.op_type == "QuantizeLinear" and made[node.input[0]].op_type == "Add"
    ]
    assert len(sums) == 3  # TextNet's stages have a block each
    assert all(agree(first, second, result) for (first, second), result in sums)


def test_nothing_is_left_to_change(quantized: onnx.ModelProto) -> None:
    """The scales found are in the file, and looked at again they differ by no more than once more 2 %."""
    again = tie_free_sums(quantized)
    numbers = {each.name: numpy_helper.to_array(each) for each in quantized.graph.initializer}
    for name, found in again.items():
        (node,) = (n for n in quantized.graph.node if n.op_type == "QuantizeLinear" and n.input[0] == name)
        assert 1 <= found.scale / float(numbers[node.input[1]]) < 1.02
    assert len(again) == 3


def test_a_model_without_sums_is_left_alone(tmp_path: Path, textnet: Checkpoint) -> None:
    assert tie_free_sums(export_graph(textnet)) == {}
