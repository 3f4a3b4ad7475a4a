"""Contours to voxels: a scanline over pixel centres, exact and without rounding of the vertices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Vertices that lie on pixel centres come out of the change of coordinates with noise of this size; left as it is, the
# noise and not the half-open rule would decide about these pixels.
_INDEX_DECIMALS = 6


def rasterise(
    contours: Sequence[NDArray[np.float64]], slices: Sequence[int], shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """The voxels whose centres lie inside the contours, by the even-odd rule.

    An edge belongs to the rows y1 <= row < y2 and a span to the columns x1 <= column < x2, so that areas that share an
    edge neither overlap nor leave a gap. Contours of one slice are combined by exclusive or: a contour inside another
    is a hole, and a keyhole contour needs no special treatment.

    Parameters
    ----------
    contours
        For each closed contour its vertices (n, 2) as continuous index (x, y): pixel centres are whole numbers.
    slices
        The slice of each contour.
    shape
        (z, y, x) of the mask; parts of contours outside of it are cut off.
    """
    mask = np.zeros(shape, dtype=bool)
    if not contours:
        return mask
    depth, height, width = shape
    start = np.round(np.concatenate(contours), _INDEX_DECIMALS)
    counts = np.array([len(contour) for contour in contours])
    z = np.repeat(np.asarray(slices, dtype=np.int64), counts)
    # The end of each edge is the next vertex, and the first one for the last edge of a contour.
    end = np.concatenate([start[1:], start[:1]])
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    end[np.cumsum(counts) - 1] = start[firsts]

    # From the lower to the upper end, whichever way the contour runs: neighbours cross a row at the very same place.
    upward = start[:, 1] <= end[:, 1]
    low = np.where(upward[:, None], start, end)
    high = np.where(upward[:, None], end, start)
    first_row = np.clip(np.ceil(low[:, 1]), 0, height).astype(np.int64)
    last_row = np.clip(np.ceil(high[:, 1]), 0, height).astype(np.int64)
    n_rows = last_row - first_row
    crossing = (n_rows > 0) & (z >= 0) & (z < depth)
    low, high, first_row, n_rows, z = low[crossing], high[crossing], first_row[crossing], n_rows[crossing], z[crossing]
    if n_rows.size == 0:
        return mask

    edge = np.repeat(np.arange(n_rows.size), n_rows)
    row = np.arange(edge.size) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows) + first_row[edge]
    slope = (high[:, 0] - low[:, 0]) / (high[:, 1] - low[:, 1])
    x = np.round(low[edge, 0] + (row - low[edge, 1]) * slope[edge], _INDEX_DECIMALS)
    # A crossing turns inside and outside around for its column and all to the right of it.
    column = np.clip(np.ceil(x), 0, width).astype(np.int64)

    z0, z1 = int(z.min()), int(z.max()) + 1
    y0, y1 = int(row.min()), int(row.max()) + 1
    x0, x1 = int(column.min()), int(column.max()) + 1
    box = (z1 - z0, y1 - y0, x1 - x0)
    flat = ((z[edge] - z0) * box[1] + (row - y0)) * box[2] + (column - x0)
    turns = np.bincount(flat, minlength=box[0] * box[1] * box[2]).reshape(box).astype(np.uint8)
    inside = np.bitwise_xor.accumulate(turns & 1, axis=2).astype(bool)
    mask[z0:z1, y0:y1, x0 : min(x1, width)] = inside[:, :, : min(x1, width) - x0]
    return mask
