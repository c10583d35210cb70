"""Numbers that are many, stored in few bits.

Sorted keys as the gaps between them; weights as four-bit numbers of sixteen levels.
"""

from __future__ import annotations

import numpy as np

LEVELS = 16


def pack_keys(keys: np.ndarray) -> np.ndarray:
    """Store sorted numbers as the gaps between them.

    Parameters
    ----------
    keys : ndarray of uint32, sorted, all different

    Returns
    -------
    ndarray of uint8 or uint16
        Whichever is smaller. A gap beyond the type's largest number takes
        several places.

    Examples
    --------
    >>> pack_keys(np.array([3, 5, 400, 401, 402], np.uint32)).tolist()
    [3, 2, 255, 140, 1, 1]
    >>> unpack_keys(pack_keys(np.array([3, 5, 400], np.uint32))).tolist()
    [3, 5, 400]
    """
    gaps = np.diff(np.asarray(keys, np.int64), prepend=0)
    return min(
        (_gaps_in(gaps, t) for t in (np.uint8, np.uint16)), key=lambda a: a.nbytes
    )


def _gaps_in(gaps: np.ndarray, dtype) -> np.ndarray:
    most = np.iinfo(dtype).max
    full, rest = np.divmod(gaps, most)
    places = np.cumsum(full + 1) - 1
    packed = np.full(places[-1] + 1, most, dtype)
    packed[places] = rest
    return packed


def unpack_keys(packed: np.ndarray) -> np.ndarray:
    """Undo :func:`pack_keys`."""
    ends = packed < np.iinfo(packed.dtype).max
    return np.cumsum(packed, dtype=np.int64)[ends].astype(np.uint32)


def sixteen_levels(values: np.ndarray, rounds: int = 25) -> np.ndarray:
    """Find the sixteen numbers that stand best for many (Lloyd's algorithm).

    Parameters
    ----------
    values : ndarray of float
    rounds : int, default 25

    Returns
    -------
    ndarray of float32, shape (16,), sorted
    """
    flat = np.sort(np.asarray(values, np.float64).ravel())
    last = np.flatnonzero(np.diff(flat, append=np.inf) > 0)
    if len(last) <= LEVELS:  # packed before, or few: nothing is to be rounded
        return np.pad(flat[last], (0, LEVELS - len(last)), "edge").astype(np.float32)
    sums = np.concatenate([[0.0], np.cumsum(flat)])
    # Between equal shares, which neglect the tails, and equal steps.
    shares = np.quantile(flat, (np.arange(LEVELS) + 0.5) / LEVELS)
    levels = (shares + np.linspace(flat[0], flat[-1], LEVELS)) / 2
    for _ in range(rounds):
        cuts = np.searchsorted(flat, (levels[1:] + levels[:-1]) / 2)
        edges = np.concatenate([[0], cuts, [len(flat)]])
        counts = np.diff(edges)
        means = np.diff(sums[edges]) / np.maximum(counts, 1)
        levels = np.where(counts > 0, means, levels)
    return levels.astype(np.float32)


def nearest_level(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the number of the nearest level, uint8, of the shape of `values`."""
    middles = (levels[1:] + levels[:-1]) / 2
    return np.searchsorted(middles, values).astype(np.uint8)


def _row_scales(values: np.ndarray) -> np.ndarray:
    spread = np.sqrt((values**2).mean(1, keepdims=True))
    return np.where(spread > 0, spread, 1).astype(np.float16)


def packed_levels(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Four bits a number; rows of an embedding get a scale of their own."""
    tensors, scaled = {}, values.astype(np.float32)
    if values.shape[1] > 1:
        tensors[f"{name}.scales"] = _row_scales(values)
        scaled = scaled / tensors[f"{name}.scales"].astype(np.float32)
    levels = sixteen_levels(scaled)
    tensors[f"{name}.levels"] = levels
    tensors[f"{name}.nibbles"] = nibbles(nearest_level(scaled, levels).ravel())
    return tensors


def nibbles(numbers: np.ndarray) -> np.ndarray:
    """Put numbers below 16, uint8, two into a byte; the last one may stand alone."""
    numbers = np.append(numbers, np.zeros(len(numbers) % 2, np.uint8))
    return numbers[::2] | numbers[1::2] << 4


def unpacked_levels(name: str, packed: dict, width: int) -> np.ndarray:
    """Undo :func:`packed_levels`; of shape (rows, `width`)."""
    pairs = packed[f"{name}.nibbles"]
    numbers = np.stack([pairs & 15, pairs >> 4], axis=1).ravel()
    numbers = numbers[: len(numbers) // width * width]
    values = packed[f"{name}.levels"][numbers].reshape(-1, width)
    scales = packed.get(f"{name}.scales")
    return values if scales is None else values * scales.astype(np.float32)
