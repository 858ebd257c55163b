"""A model's cost by layer: parameters, multiply-adds, bytes and time, as onnxruntime runs it.

The file's graph gives the layers, their weights and multiply-adds. The optimised graph, in which onnxruntime has fused
and moved operators, gives the times. To match the two, every node and value is renamed to a number before onnxruntime
reads the model. Optimised nodes keep these names.
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

# Operators with learned weights, and the indices of the inputs that hold them. Integer operators are the 8-bit forms.
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
}  # not worth naming beside the operators that they are fused with
_TYPES = ("conv 3x3", "conv 1x1", "conv", "depthwise", "activation", "pooling", "LSTM", "linear", "other")
Value = TypeVar("Value", int, bytes)
NORMALISATION = "normalisation of the input"
CALL = "entering and leaving the call"


@dataclass(frozen=True)
class Layer:
    """A layer. operators: the fused operators, such as "Conv + Relu". bytes: of the weights, as the file stores them.

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
    """A call's cost. layers: all layers, in the order in which they run. whole: milliseconds of an unprofiled call.

    input_shape: of the input. calls: how many were timed. overhead: milliseconds of profiling subtracted per operator.
    """

    layers: list[Layer]
    whole: float
    input_shape: tuple[int, ...]
    calls: int
    overhead: float

    @property
    def measured(self) -> float:
        """The layers' sum in milliseconds."""
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
    """Count and time the layers of a model for one input, `image`, in the form that its graph takes.

    repeats: number of timed calls; fewer for slow models, but at least 20. `progress(done, total)` is called after
    each.
    """
    feed = {model.graph.input[0].name: image}
    plan = _Plan(model)
    numbered = plan.numbered.SerializeToString()
    plan.look(run_unoptimised(numbered, feed))
    times = time_kernels(numbered, feed, repeats, progress)
    return Cost(plan.layers(times), times.whole, image.shape, times.calls, times.overhead)


class _Plan:
    """A graph's nodes by number: which ones only dequantize weights, and which layer each of the others belongs to."""

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
        self.normalising: set[int] = set()  # nodes before the first weights
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
        """Record the shapes in a call of the unoptimised graph."""
        for kernel in kernels:
            number = _number(kernel.name)
            if number is not None:
                self.inputs[number], self.outputs[number] = kernel.inputs, kernel.outputs

    def layers(self, times: Times) -> list[Layer]:
        """Return all layers in the order in which they run, and the overhead of a call."""
        spent: dict[int | str, float] = {}  # by node, or by name for operators that onnxruntime inserted
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
        """Return the node of an optimised operator, or the operator's name if onnxruntime inserted it."""
        number = _number(kernel.name)
        if number is None:
            return kernel.name
        if number in self.normalising:
            return min(self.normalising)
        if re.search("Conv|Gemm|MatMul|LSTM", kernel.operator):
            return self._weighted_before(number)
        return number if self.nodes[number].op_type in kernel.operator else kernel.name

    def _weighted_before(self, number: int) -> int:
        """Return the nearest node with weights, at or before a node. A fused operator may bear a later node's name."""
        waiting = [number]
        while waiting:
            at = max(waiting)
            if self.nodes[at].op_type in _WEIGHTS:
                return at
            waiting.remove(at)
            waiting += [self.producer[value] for value in self.nodes[at].input if value in self.producer]
        return number

    def _members(self, order: list[int | str]) -> dict[int | str, list[int]]:
        """List the nodes that run as one: each node that runs, with those fused into it.

        A fused node belongs to the last node that it reads.
        """
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
            learned = list(node.input)  # a separate bias
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
        """Return the stored tensors that a value is dequantized from; empty for values that depend on the image."""
        if value in self.stored:
            return {value}
        producer = self.producer.get(value)
        return self._stored_for(producer) if producer is not None and producer in self.constant else set()

    def _shape(self, value: str) -> list[int]:
        if value in self.stored:
            return list(self.stored[value].dims)
        return self.outputs[self.producer[value]][0]


def _numbered(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy whose nodes and values are named by the node's number."""
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
    """Return the type of an operator without weights."""
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
