"""Layers that are refused on purpose, and why."""

from __future__ import annotations

from .base import refuse

refuse("it is for sequences", "LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed", "Embedding",
       "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "StackedRNNCells")  # fmt: skip
refuse("it is for sequences or volumes, and mxtune takes images", *(
    f"{kind}{sides}D"
    for kind in ("Conv", "MaxPooling", "AveragePooling", "GlobalAveragePooling", "GlobalMaxPooling", "ZeroPadding",
                 "Cropping", "UpSampling", "SeparableConv", "DepthwiseConv", "SpatialDropout")
    for sides in (1, 3)
))  # fmt: skip
refuse("it is for words and tables", "TextVectorization", "StringLookup", "IntegerLookup", "Hashing", "Discretization",
       "CategoryEncoding", "HashedCrossing")  # fmt: skip
