"""Operators that are refused on purpose, and why."""

from __future__ import annotations

from .base import refuse

refuse("it is control flow, which images do not need", "If", "Loop", "Scan")
refuse(
    "it is part of a quantised network: bring the one it was made from",
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "ConvInteger",
    "MatMulInteger",
)
refuse("it is for sequences", "LSTM", "GRU", "RNN", "SequenceConstruct", "SequenceAt", "SplitToSequence")
refuse("it detects objects, and mxtune classifies images", "NonMaxSuppression", "RoiAlign", "MaxRoiPool")
refuse("its output is drawn at random", "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike",
       "Multinomial", "Bernoulli")  # fmt: skip
