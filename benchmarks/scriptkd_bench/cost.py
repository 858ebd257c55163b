"""Where a model's cost lies: parameters, multiply-adds, bytes and time of each layer, as onnxruntime runs it.

The graph as it is written gives the layers, their weights and multiply-adds; the graph as onnxruntime runs it, with
operators fused and moved, the times. So that one can be told from the other, every node and value is given a number as
its name before onnxruntime reads the model: what it makes of them keeps these names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import TypeVar

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from .kernels import Kernel, Times, run_unoptimised, time_kernels

# Operators with learned weights, and which of their inputs these are. Integer ones stand for the float ones in 8 bits.
_WEIGHTS = {
    "Conv": (1, 2),
    "ConvInteger": (1,),
    "Gemm": (1, 2),
    "MatMul": (0, 1),
    "MatMulInteger": (1,),
    "MatMulNBits": (1, 5),
    "LSTM": (1, 2, 3),
    "DynamicQuantizeLSTM": (1, 2, 3),
}
_LINEAR = {"Gemm", "MatMul", "MatMulInteger", "MatMulNBits"}
_GATES = 4  # of an LSTM
_ACTIVATIONS = re.compile("Relu|Sigmoid|HardSwish|Swish|Tanh|Clip|Elu|Gelu|Mish|Softplus|Erf|Silu")
_RESTORING = {
    "QuantizeLinear",
    "DequantizeLinear",
    "Cast",
    "Identity",
}  # not worth naming beside what they are fused to
_TYPES = ("conv 3x3", "conv 1x1", "conv", "depthwise", "activation", "pooling", "LSTM", "linear", "other")
Value = TypeVar("Value", int, bytes)
NORMALISATION = "normalisation of the input"
CALL = "entering and leaving the call"


@dataclass(frozen=True)
class Layer:
    """operators: what the file has fused here, such as "Conv + Relu". bytes: of its weights as the file stores them.

    macs: multiply-adds of one image. milliseconds: measured on one thread.
    """

    name: str
    type: str
    operators: str
    parameters: int
    macs: int
    bytes: int
    milliseconds: float


@dataclass(frozen=True)
class Cost:
    """layers: in the order in which they run, all of the call; whole: milliseconds of a call that nobody profiled.

    input_shape: of the one input. calls: how many were timed. overhead: what was taken off each time, in milliseconds.
    """

    layers: list[Layer]
    whole: float
    input_shape: tuple[int, ...]
    calls: int
    overhead: float

    @property
    def measured(self) -> float:
        """Milliseconds that the layers add up to."""
        return sum(layer.milliseconds for layer in self.layers)

    def types(self) -> list[Layer]:
        """The layers' sums by type."""
        kinds = sorted({layer.type for layer in self.layers}, key=_order)
        return [_sum(kind, [layer for layer in self.layers if layer.type == kind]) for kind in kinds]

    def total(self) -> Layer:
        """The sum of all layers."""
        return _sum("all", self.layers)


def measure_cost(
    model: onnx.ModelProto,
    image: NDArray[np.uint8],
    repeats: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Cost:
    """Counts and times the layers of a model for one input, `image`, as its graph takes it.

    repeats: timed calls; slow models get fewer, but at least 20. `progress(done, total)` is called after each.
    """
    feed = {model.graph.input[0].name: image}
    plan = _Plan(model)
    numbered = plan.numbered.SerializeToString()
    plan.look(run_unoptimised(numbered, feed))
    times = time_kernels(numbered, feed, repeats, progress)
    return Cost(plan.layers(times), times.whole, image.shape, times.calls, times.overhead)


class _Plan:
    """The nodes of a graph by their numbers; which of them only restore weights; and what each of the others holds."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.nodes = list(model.graph.node)
        self.numbered = _numbered(model)
        self.stored = {weight.name: weight for weight in model.graph.initializer}
        self.producer = {value: i for i, node in enumerate(self.nodes) for value in node.output}
        self.constant: set[int] = set()
        known = {"", *self.stored}
        for i, node in enumerate(self.nodes):
            if known.issuperset(node.input):
                self.constant.add(i)
                known.update(node.output)
        self.normalising: set[int] = set()  # before any weights have had a part
        learned: set[str] = set()
        for i, node in enumerate(self.nodes):
            weighs = node.op_type in _WEIGHTS and any(map(self._roots, node.input))
            if weighs or not learned.isdisjoint(node.input):
                learned.update(node.output)
            elif i not in self.constant:
                self.normalising.add(i)
        self.inputs: dict[int, list[list[int]]] = {}
        self.outputs: dict[int, list[list[int]]] = {}

    def look(self, kernels: Iterable[Kernel]) -> None:
        """Takes the shapes of a call of the graph as it is written."""
        for kernel in kernels:
            number = _number(kernel.name)
            if number is not None:
                self.inputs[number], self.outputs[number] = kernel.inputs, kernel.outputs

    def layers(self, times: Times) -> list[Layer]:
        """All layers in the order in which they run, and what a call costs by itself."""
        spent: dict[int | str, float] = {}  # by node, or by name where onnxruntime put in an operator of its own
        operators: dict[int | str, str] = {}
        for kernel in times.kernels:
            key = self._node_of(kernel)
            spent[key] = spent.get(key, 0.0) + kernel.milliseconds
            operators.setdefault(key, kernel.operator)
        members = self._members(list(spent))
        counted: set[str] = set()
        count: dict[str, int] = {}
        rows = []
        for key, milliseconds in spent.items():
            if isinstance(key, str):
                name, kind = f"{operators[key]} of onnxruntime", _kind(operators[key])
            else:
                name, kind = self._name(key), self._type(key)
            count[name] = count.get(name, 0) + 1
            name = name if count[name] == 1 else f"{name} {count[name]}"
            inside = members.get(key, [])
            held = set().union(*map(self._stored_for, inside)) - counted
            counted |= held
            rows.append(
                Layer(
                    name,
                    kind,
                    " + ".join(dict.fromkeys(self._shown(inside))) or operators[key],
                    sum(map(self._parameters, inside)),
                    sum(map(self._macs, inside)),
                    sum(_bytes(self.stored[each]) for each in held),
                    milliseconds,
                )
            )
        return [*rows, Layer(CALL, "other", "", 0, 0, 0, times.call)]

    def _node_of(self, kernel: Kernel) -> int | str:
        """The node that an operator as it runs stands for; the operator's name if it is onnxruntime's own."""
        number = _number(kernel.name)
        if number is None:
            return kernel.name
        if number in self.normalising:
            return min(self.normalising)
        if re.search("Conv|Gemm|MatMul|LSTM", kernel.operator):
            return self._weighted_before(number)
        return number if self.nodes[number].op_type in kernel.operator else kernel.name

    def _weighted_before(self, number: int) -> int:
        """The nearest node with weights at or before one: fused operators may be called after their last part."""
        waiting = [number]
        while waiting:
            at = max(waiting)
            if self.nodes[at].op_type in _WEIGHTS:
                return at
            waiting.remove(at)
            waiting += [self.producer[value] for value in self.nodes[at].input if value in self.producer]
        return number

    def _members(self, order: list[int | str]) -> dict[int | str, list[int]]:
        """Node that runs -> itself and the nodes that were fused to it: each goes to the last of those it reads."""
        place = {key: i for i, key in enumerate(order)}
        owner: dict[int, int] = {}
        first = next(key for key in order if isinstance(key, int))
        for number, node in enumerate(self.nodes):
            if number in self.constant:
                continue
            if number in self.normalising:
                owner[number] = min(self.normalising)
            elif number in place:
                owner[number] = number
            else:
                before = [owner[self.producer[v]] for v in node.input if self.producer.get(v) in owner]
                owner[number] = max(before, key=lambda key: place.get(key, -1), default=first)
        found: dict[int | str, list[int]] = {}
        for number, key in owner.items():
            found.setdefault(key, []).append(number)
        return found

    def _shown(self, members: list[int]) -> list[str]:
        names = [self.nodes[member].op_type for member in members]
        return [name for name in names if name not in _RESTORING] or names

    def _name(self, number: int) -> str:
        if number in self.normalising:
            return NORMALISATION
        weights = _WEIGHTS.get(self.nodes[number].op_type, ())
        stored = sorted(self._roots(value) for i, value in enumerate(self.nodes[number].input) if i in weights)
        for root in (name for names in stored for name in sorted(names)):
            found = re.match(r"(.+?)[._]weight", root)
            if found:
                return str(found[1])
        return str(self.nodes[number].op_type)

    def _type(self, number: int) -> str:
        node = self.nodes[number]
        if number in self.normalising:
            return "other"
        if node.op_type in ("Conv", "ConvInteger"):
            _, inside, *kernel = self._shape(node.input[1])
            groups = _attribute(node, "group", 1)
            if inside == 1 and groups > 1:
                return "depthwise"
            return "conv " + "x".join(map(str, kernel))
        if node.op_type in _LINEAR and any(self._roots(value) for value in node.input[:2]):
            return "linear"
        if node.op_type in _WEIGHTS and node.op_type not in _LINEAR:
            return "LSTM"
        return _kind(node.op_type)

    def _parameters(self, number: int) -> int:
        node = self.nodes[number]
        if node.op_type == "MatMulNBits":
            bias = prod(self._shape(node.input[5])) if len(node.input) > 5 and node.input[5] else 0
            return _attribute(node, "K", 0) * _attribute(node, "N", 0) + bias
        learned = [value for i, value in enumerate(node.input) if i in _WEIGHTS.get(node.op_type, ())]
        if node.op_type == "Add" and number not in self.normalising:
            learned = list(node.input)  # a bias that stands by itself
        return sum(prod(self._shape(value)) for value in learned if self._roots(value))

    def _macs(self, number: int) -> int:
        node = self.nodes[number]
        if node.op_type not in _WEIGHTS:
            return 0
        positions = prod(self.outputs[number][0])
        if node.op_type in ("Conv", "ConvInteger"):
            return positions * prod(self._shape(node.input[1])[1:])
        if node.op_type in _LINEAR:
            return positions * self.inputs[number][0][-1]
        steps, images, inside = self.inputs[number][0]
        hidden = _attribute(node, "hidden_size", 0)
        both = 2 if _attribute(node, "direction", b"forward") == b"bidirectional" else 1
        return steps * images * both * _GATES * hidden * (inside + hidden)

    def _stored_for(self, number: int) -> set[str]:
        return set().union(*map(self._roots, self.nodes[number].input))

    def _roots(self, value: str) -> set[str]:
        """The stored tensors that a value is restored from; none for values that depend on the image."""
        if value in self.stored:
            return {value}
        producer = self.producer.get(value)
        return self._stored_for(producer) if producer is not None and producer in self.constant else set()

    def _shape(self, value: str) -> list[int]:
        if value in self.stored:
            return list(self.stored[value].dims)
        return self.outputs[self.producer[value]][0]


def _numbered(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose nodes and values are called by the number of the node."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.value_info[:]
    names = {
        value: f"value{i}x{j}" for i, node in enumerate(copy.graph.node) for j, value in enumerate(node.output) if value
    }
    for i, node in enumerate(copy.graph.node):
        node.name = f"node{i}x"
        for values in (node.input, node.output):
            values[:] = [names.get(value, value) for value in values]
    for output in copy.graph.output:
        output.name = names[output.name]
    return copy


def _number(name: str) -> int | None:
    found = re.search(r"(?:node|value)(\d+)x", name)
    return int(found[1]) if found else None


def _kind(operator: str) -> str:
    """The type of an operator without weights."""
    if "Pool" in operator or operator.startswith("Reduce"):
        return "pooling"
    return "activation" if _ACTIVATIONS.search(operator) else "other"


def _bytes(stored: onnx.TensorProto) -> int:
    return len(stored.raw_data) or int(numpy_helper.to_array(stored).nbytes)


def _attribute(node: onnx.NodeProto, name: str, default: Value) -> Value:
    values: list[Value] = [onnx.helper.get_attribute_value(each) for each in node.attribute if each.name == name]
    return values[0] if values else default


def _order(kind: str) -> tuple[int, str]:
    return next(i for i, known in enumerate(_TYPES) if kind.startswith(known)), kind


def _sum(name: str, layers: list[Layer]) -> Layer:
    return Layer(
        name,
        name,
        f"{len(layers)} layers",
        sum(layer.parameters for layer in layers),
        sum(layer.macs for layer in layers),
        sum(layer.bytes for layer in layers),
        sum(layer.milliseconds for layer in layers),
    )
