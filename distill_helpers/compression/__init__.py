"""Smaller models: fewer bits, fewer channels, fewer words.

``onnx_bits`` and ``torch_bits`` store weights in fewer bits, ``training_bits``
lets a student get used to it, ``pruning`` takes channels and heads away,
``embedding`` shrinks the table of words, and ``parity`` says how far a
converted model is from its source.
"""
