"""Which depthwise convolutions in training go round oneDNN 2.4, which has few gradients of their kernels, and how."""

from __future__ import annotations

from ....graph import Node, Shapes
from ...base import Program

WIDTH, PAD = 5, 2
"""Columns of a kernel that become convolutions of their own, and the padding beside them."""


def is_depthwise(node: Node) -> bool:
    """Whether each filter of a convolution has a group to itself."""
    return bool(node.values.num_group == node.values.num_filter)


def learns_kernels(program: Program, node: Node) -> bool:
    """Whether this is a convolution whose kernel, or what that is made of, is in training."""
    if not node.has_role("convolution"):
        return False
    source = program.graph.node(node.inputs[1][0])
    while len(source.inputs) == 1:
        source = program.graph.node(source.inputs[0][0])
    return source.name in program.trainable


def in_columns(node: Node, shapes: Shapes) -> bool:
    """Whether `depthwise_in_columns` takes this convolution."""
    if not node.has_role("convolution") or not is_depthwise(node):
        return False
    name, at = node.inputs[0]
    _, channels, *size = shapes[name][at]
    values, pad = node.values, node.values.pad or (0, 0)
    if len(size) != 2 or channels != values.num_group or min(size) < WIDTH or max(values.dilate, default=1) > 1:
        return False
    height, width = values.kernel
    return width == WIDTH and pad[1] == PAD and height <= WIDTH and pad[0] <= height // 2
