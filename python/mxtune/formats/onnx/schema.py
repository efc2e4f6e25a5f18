"""The fields of ONNX's messages that matter to a network, by their numbers in onnx.proto."""

from __future__ import annotations

from .._protobuf import Field, Message

_DIMENSION: Message = {1: Field("value", "int"), 2: Field("symbol", "text")}
_SHAPE: Message = {1: Field("dims", _DIMENSION, repeated=True)}
_TENSOR_TYPE: Message = {1: Field("elem_type", "int"), 2: Field("shape", _SHAPE)}
_VALUE_INFO: Message = {1: Field("name", "text"), 2: Field("type", {1: Field("tensor", _TENSOR_TYPE)})}
_ENTRY: Message = {1: Field("key", "text"), 2: Field("value", "text")}
TENSOR: Message = {
    1: Field("dims", "int", repeated=True),
    2: Field("data_type", "int"),
    4: Field("float_data", "float", repeated=True),
    5: Field("int32_data", "int", repeated=True),
    7: Field("int64_data", "int", repeated=True),
    8: Field("name", "text"),
    9: Field("raw_data", "bytes"),
    10: Field("double_data", "double", repeated=True),
    11: Field("uint64_data", "int", repeated=True),
    13: Field("external_data", _ENTRY, repeated=True),
    14: Field("data_location", "int"),
}
_GRAPH: dict[int, Field] = {}  # which attributes of nodes may hold, too
_ATTRIBUTE: Message = {
    1: Field("name", "text"),
    2: Field("f", "float"),
    3: Field("i", "int"),
    4: Field("s", "bytes"),
    5: Field("t", TENSOR),
    6: Field("g", _GRAPH),
    7: Field("floats", "float", repeated=True),
    8: Field("ints", "int", repeated=True),
    9: Field("strings", "bytes", repeated=True),
    20: Field("type", "int"),
}
_NODE: Message = {
    1: Field("inputs", "text", repeated=True),
    2: Field("outputs", "text", repeated=True),
    3: Field("name", "text"),
    4: Field("op", "text"),
    5: Field("attributes", _ATTRIBUTE, repeated=True),
    7: Field("domain", "text"),
}
_GRAPH.update(
    {
        1: Field("nodes", _NODE, repeated=True),
        2: Field("name", "text"),
        5: Field("initializers", TENSOR, repeated=True),
        11: Field("inputs", _VALUE_INFO, repeated=True),
        12: Field("outputs", _VALUE_INFO, repeated=True),
    }
)
MODEL: Message = {
    1: Field("ir_version", "int"),
    2: Field("producer", "text"),
    3: Field("producer_version", "text"),
    7: Field("graph", _GRAPH),
    8: Field("opsets", {1: Field("domain", "text"), 2: Field("version", "int")}, repeated=True),
    14: Field("metadata", _ENTRY, repeated=True),
}
