"""The arithmetic of TV-L1, pixel by pixel, compiled by numba.

All planes of one scale live in one flat float32 array, row after row, and in each row
plane after plane: `PLANES` of them, each `pitch` numbers long. The compiler knows the
pitch (see `blocks_for`), so it can prove that reads and writes never meet, and
vectorises without tests at run time. Columns start at `MARGIN`; what lies left of them
and above the first row is zero (the dual field outside the picture); one row and one
column beyond the end repeat the edge of the flow, so that its gradient is zero there.

Several iterations run in one pass over the rows, each one row behind the one before, so
that a row is fetched from memory once and not once per iteration.

Everything compiled is in this file, constants included: numba's cache looks at the date
of the file that holds a function, not at what that file imports.
"""

import numpy as np
from numba import njit
from numba.extending import intrinsic
from numpy.typing import NDArray

PLANES = 11
U1, U2, P11, P12, P21, P22, GRAD_X, GRAD_Y, RHO, NORM, CHANGE = range(PLANES)
MARGIN = 16
BLOCK = 128
EDGE = 4  # of a table for bicubic look-up

THETA = np.float32(0.3)
LIMIT = np.float32(0.15 * 0.3)  # lambda * theta, rounded once
STEP = np.float32(0.25 / 0.3)  # tau / theta
FLAT = np.float32(np.finfo(np.float32).eps)  # below it a gradient counts as none

_ONE = np.uint64(1)
_HALF = np.float32(0.5)
_TINY = np.float32(1e-30)
_START = np.uint64(MARGIN)
_BLOCKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # each is compiled apart
WIDEST = BLOCK * _BLOCKS[-1] - 1
# Without these flags a loop with a choice in it is not vectorised. They change no bit
# of a result unless it is infinite, not a number, or a zero.
_EXACT = {"nnan", "ninf", "nsz"}


def blocks_for(width: int) -> tuple[int, ...]:
    """A row's length in blocks, as a tuple: its length is part of its type."""
    return (0,) * next(count for count in _BLOCKS if BLOCK * count > width)


def workspace(height: int, width: int) -> NDArray[np.float32]:
    """Zeros (height + 2, PLANES, pitch): the planes of a scale and their borders."""
    pitch = BLOCK * len(blocks_for(width)) + MARGIN
    return np.zeros((height + 2, PLANES, pitch), np.float32)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def _update_exact(s, u1, p, div1, div2):  # noqa: ANN001, ANN202
    """One pixel of flow, given the divergences of the dual field."""
    u2, ax, ay = u1 + p, u1 + p * np.uint64(GRAD_X), u1 + p * np.uint64(GRAD_Y)
    gx, gy, old1, old2 = s[ax], s[ay], s[u1], s[u2]
    misfit = s[u1 + p * np.uint64(RHO)] + (gx * old1 + gy * old2)
    square = s[u1 + p * np.uint64(NORM)]
    bound = LIMIT * square
    k = -misfit / square if square > FLAT else np.float32(0)
    k = -LIMIT if misfit > bound else k
    k = LIMIT if misfit < -bound else k
    new1 = (old1 + k * gx) + THETA * div1
    new2 = (old2 + k * gy) + THETA * div2
    s[u1], s[u2] = new1, new2
    d1, d2 = new1 - old1, new2 - old2
    s[u1 + p * np.uint64(CHANGE)] = d1 * d1 + d2 * d2


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def _primal_exact(s, base, width, blocks):  # noqa: ANN001, ANN202
    """One row of flow: threshold step, then the divergence of the dual field."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    p11, p12 = base + p * np.uint64(P11), base + p * np.uint64(P12)
    p21, p22 = base + p * np.uint64(P21), base + p * np.uint64(P22)
    # OpenCV adds up the first column in another order, which rounds differently.
    div1 = (s[p11] + s[p12]) - s[p12 - row]
    div2 = (s[p21] + s[p22]) - s[p22 - row]
    _update_exact(s, base, p, div1, div2)
    for x in range(_ONE, width):
        div1 = (s[p11 + x] - s[p11 + x - _ONE]) + (s[p12 + x] - s[p12 + x - row])
        div2 = (s[p21 + x] - s[p21 + x - _ONE]) + (s[p22 + x] - s[p22 + x - row])
        _update_exact(s, base + x, p, div1, div2)


@intrinsic
def _fma(typing, a, b, c):  # noqa: ANN001, ANN202, ARG001
    """The float32 a * b + c, rounded once."""

    def emit(context, builder, signature, args):  # noqa: ANN001, ANN202, ARG001
        return builder.fma(*args)

    return a(a, a, a), emit


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def _length(x, y):  # noqa: ANN001, ANN202
    """The length of (x, y), as good as rounding a double-precision one to float32.

    Double-precision roots would take half of the whole time. Instead what rounding took
    from the sum of squares and from its root is worked out, and added to the root.
    """
    xx, yy = x * x, y * y
    total = xx + yy
    part = total - xx
    lost = (xx - (total - part)) + (yy - part)
    lost += _fma(x, x, -xx) + _fma(y, y, -yy)
    root = np.sqrt(total)
    lost += _fma(-root, root, total)
    return root + lost * (_HALF / (root + _TINY))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def _divide(a, b, inverse):  # noqa: ANN001, ANN202
    """The float32 a / b, from 1 / b: one division serves two quotients."""
    q = a * inverse
    return _fma(_fma(-q, b, a), inverse, q)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def _dual_exact(s, base, width, blocks):  # noqa: ANN001, ANN202
    """One row of the dual field, from the forward differences of the flow."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    one = np.float32(1)
    for x in range(width):
        u1 = base + x
        u2 = u1 + p
        p11, p12 = u1 + p * np.uint64(P11), u1 + p * np.uint64(P12)
        p21, p22 = u1 + p * np.uint64(P21), u1 + p * np.uint64(P22)
        gx, gy = s[u1 + _ONE] - s[u1], s[u1 + row] - s[u1]
        n = one + STEP * _length(gx, gy)
        inverse = one / n
        s[p11] = _divide(s[p11] + STEP * gx, n, inverse)
        s[p12] = _divide(s[p12] + STEP * gy, n, inverse)
        gx, gy = s[u2 + _ONE] - s[u2], s[u2 + row] - s[u2]
        n = one + STEP * _length(gx, gy)
        inverse = one / n
        s[p21] = _divide(s[p21] + STEP * gx, n, inverse)
        s[p22] = _divide(s[p22] + STEP * gy, n, inverse)


@njit(cache=True, nogil=True, fastmath=True)
def _row_sum(s, start, width):  # noqa: ANN001, ANN202
    total = np.float32(0)
    for x in range(width):
        total += s[start + x]
    return total


@njit(cache=True, nogil=True)
def _repeat_edge(s, base, width, blocks):  # noqa: ANN001, ANN202
    """Continue a row of both flow planes by one column."""
    end = base + width
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    s[end] = s[end - _ONE]
    s[end + p] = s[end + p - _ONE]


@njit(cache=True, nogil=True)
def _repeat_row(s, base, width, blocks):  # noqa: ANN001, ANN202
    """Copy a row of both flow planes into the row below."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    for x in range(width):
        at = base + x
        s[at + row] = s[at]
        s[at + row + p] = s[at + p]


@njit(cache=True, nogil=True, error_model="numpy")
def sweep_exact(s, height, width, blocks, changes):  # noqa: ANN001, ANN201
    """Run len(changes) iterations; `changes` gets each one's sum of squared change."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    w = np.uint64(width)
    count = len(changes)
    changes[:] = 0
    for front in range(height + count):
        for i in range(count):
            y = front - i
            base = np.uint64(y + 1) * row + _START
            if 0 <= y < height:
                _primal_exact(s, base, w, blocks)
                changes[i] += _row_sum(s, base + np.uint64(CHANGE) * p, w)
                _repeat_edge(s, base, w, blocks)
            if y == height:
                _repeat_row(s, base - row, w, blocks)
            if 0 < y <= height:
                _dual_exact(s, base - row, w, blocks)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _primal_fast(s, base, width, blocks):  # noqa: ANN001, ANN202
    """As `_primal_exact`, with NORM holding the inverse of the squared gradient."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    change = np.float32(0)
    for x in range(width):
        u1 = base + x
        u2, ax, ay = u1 + p, u1 + p * np.uint64(GRAD_X), u1 + p * np.uint64(GRAD_Y)
        rho, norm = u1 + p * np.uint64(RHO), u1 + p * np.uint64(NORM)
        p11, p12 = u1 + p * np.uint64(P11), u1 + p * np.uint64(P12)
        p21, p22 = u1 + p * np.uint64(P21), u1 + p * np.uint64(P22)
        gx, gy, old1, old2 = s[ax], s[ay], s[u1], s[u2]
        k = -(s[rho] + gx * old1 + gy * old2) * s[norm]
        k = min(max(k, -LIMIT), LIMIT)
        div1 = (s[p11] - s[p11 - _ONE]) + (s[p12] - s[p12 - row])
        div2 = (s[p21] - s[p21 - _ONE]) + (s[p22] - s[p22 - row])
        d1, d2 = k * gx + THETA * div1, k * gy + THETA * div2
        s[u1], s[u2] = old1 + d1, old2 + d2
        change += d1 * d1 + d2 * d2
    return change


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _dual_fast(s, base, width, blocks):  # noqa: ANN001, ANN202
    """As `_dual_exact`, in single precision."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    one = np.float32(1)
    for x in range(width):
        u1 = base + x
        u2 = u1 + p
        p11, p12 = u1 + p * np.uint64(P11), u1 + p * np.uint64(P12)
        p21, p22 = u1 + p * np.uint64(P21), u1 + p * np.uint64(P22)
        gx, gy = s[u1 + _ONE] - s[u1], s[u1 + row] - s[u1]
        n = one / (one + STEP * np.sqrt(gx * gx + gy * gy))
        s[p11] = (s[p11] + STEP * gx) * n
        s[p12] = (s[p12] + STEP * gy) * n
        gx, gy = s[u2 + _ONE] - s[u2], s[u2 + row] - s[u2]
        n = one / (one + STEP * np.sqrt(gx * gx + gy * gy))
        s[p21] = (s[p21] + STEP * gx) * n
        s[p22] = (s[p22] + STEP * gy) * n


@njit(cache=True, nogil=True, error_model="numpy")
def sweep_fast(s, height, width, blocks, changes):  # noqa: ANN001, ANN201
    """As `sweep_exact`, with `_primal_fast` and `_dual_fast`."""
    row = np.uint64(PLANES * (BLOCK * len(blocks) + MARGIN))
    w = np.uint64(width)
    count = len(changes)
    changes[:] = 0
    for front in range(height + count):
        for i in range(count):
            y = front - i
            base = np.uint64(y + 1) * row + _START
            if 0 <= y < height:
                changes[i] += _primal_fast(s, base, w, blocks)
                _repeat_edge(s, base, w, blocks)
            if y == height:
                _repeat_row(s, base - row, w, blocks)
            if 0 < y <= height:
                _dual_fast(s, base - row, w, blocks)


@njit(cache=True, nogil=True)
def sum_in_order(space, height, width):  # noqa: ANN001, ANN201
    """The sum of the last change, rounded as if added up one pixel after the other."""
    total = np.float32(0)
    for y in range(height):
        for x in range(width):
            total += space[y + 1, CHANGE, MARGIN + x]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def gradient_table(picture, edge, depth):  # noqa: ANN001, ANN201
    """A picture and its gradient, side by side for one look-up.

    The gradient is the central difference, and half of the one-sided one at the edge.

    Args:
        picture: float32 (H, W).
        edge: how many rows and columns to add on every side, repeating the edge.
        depth: 3, or 4 for entries that are read as one vector; the fourth is unused.

    Returns:
        float32 (H + 2 edge, W + 2 edge, depth): value, x and y gradient.
    """
    height, width = picture.shape
    table = np.zeros((height + 2 * edge, width + 2 * edge, depth), np.float32)
    half = np.float32(0.5)
    for row in range(height + 2 * edge):
        y = min(max(row - edge, 0), height - 1)
        above, below = picture[max(y - 1, 0)], picture[min(y + 1, height - 1)]
        for column in range(width + 2 * edge):
            x = min(max(column - edge, 0), width - 1)
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            table[row, column, 0] = picture[y, x]
            table[row, column, 1] = half * (picture[y, right] - picture[y, left])
            table[row, column, 2] = half * (below[x] - above[x])
    return table


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def linearise_exact(space, first, moved):  # noqa: ANN001, ANN201
    """Fill the data planes from the warped picture and gradient, `moved` (H, W, 3)."""
    height, width = first.shape
    for y in range(height):
        row = space[y + 1]
        for x in range(width):
            at = x + MARGIN
            gx, gy = moved[y, x, 1], moved[y, x, 2]
            row[GRAD_X, at], row[GRAD_Y, at] = gx, gy
            row[NORM, at] = gx * gx + gy * gy
            row[RHO, at] = (
                moved[y, x, 0] - gx * row[U1, at] - gy * row[U2, at] - first[y, x]
            )


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _cubic_weights(at, a):  # noqa: ANN001, ANN202
    """Weights of the four pixels around a point `at` in 0..1 behind the second."""
    one = np.float32(1)
    to = one - at
    outer = a * at * to
    before, after = outer * to, outer * at
    far = ((a + np.float32(2)) * to - (a + np.float32(3))) * to * to + one
    return before, one - before - far - after, far, after


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _weigh_four(table, y, x, weights):  # noqa: ANN001, ANN202
    """Four neighbours of a row of the table, weighted: value, x and y gradient."""
    a, b, c, d = weights
    p, q = table[y, x], table[y, x + _ONE]
    r, s = table[y, x + np.uint64(2)], table[y, x + np.uint64(3)]
    return (
        a * p[0] + b * q[0] + c * r[0] + d * s[0],
        a * p[1] + b * q[1] + c * r[1] + d * s[1],
        a * p[2] + b * q[2] + c * r[2] + d * s[2],
    )


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _look_up(table, px, py, a):  # noqa: ANN001, ANN202
    """Bicubic value, x and y gradient at a point of the picture, EDGE included."""
    px, py = px + np.float32(EDGE), py + np.float32(EDGE)
    x, y = np.uint64(px), np.uint64(py)
    across = _cubic_weights(px - np.float32(x), a)
    t, u, v, w = _cubic_weights(py - np.float32(y), a)
    x, y = x - _ONE, y - _ONE
    p0, p1, p2 = _weigh_four(table, y, x, across)
    q0, q1, q2 = _weigh_four(table, y + _ONE, x, across)
    r0, r1, r2 = _weigh_four(table, y + np.uint64(2), x, across)
    s0, s1, s2 = _weigh_four(table, y + np.uint64(3), x, across)
    return (
        t * p0 + u * q0 + v * r0 + w * s0,
        t * p1 + u * q1 + v * r1 + w * s1,
        t * p2 + u * q2 + v * r2 + w * s2,
    )


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def linearise_fast(space, first, table):  # noqa: ANN001, ANN201
    """Warp and fill the data planes; NORM becomes 1 / squared gradient.

    Where the flow leaves the picture there is no data: the gradient is set to zero and
    the flow there is only smoothed.

    Args:
        space: the scale's planes, whose U1 and U2 are read.
        first: float32 (H, W), the first picture.
        table: `gradient_table` of the second picture, with EDGE.
    """
    height, width = first.shape
    sharp = np.float32(-0.75)
    for y in range(height):
        row = space[y + 1]
        for x in range(width):
            at = x + MARGIN
            u1, u2 = row[U1, at], row[U2, at]
            px, py = np.float32(x) + u1, np.float32(y) + u2
            value = gx = gy = np.float32(0)
            if (0 <= px <= width - 1) and (0 <= py <= height - 1):
                value, gx, gy = _look_up(table, px, py, sharp)
                value -= gx * u1 + gy * u2 + first[y, x]
            row[GRAD_X, at], row[GRAD_Y, at], row[RHO, at] = gx, gy, value
            row[NORM, at] = np.float32(1) / max(gx * gx + gy * gy, FLAT)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def linearise_gpu(space, first, table):  # noqa: ANN001, ANN201
    """As `linearise_fast`, for the rules of OpenCV's GPU code.

    Outside, the picture continues as its edge does; NORM is the squared gradient.
    """
    height, width = first.shape
    soft = np.float32(-0.5)
    least, beyond = np.float32(-2), np.float32(1)
    for y in range(height):
        row = space[y + 1]
        for x in range(width):
            at = x + MARGIN
            u1, u2 = row[U1, at], row[U2, at]
            px = min(max(np.float32(x) + u1, least), np.float32(width) + beyond)
            py = min(max(np.float32(y) + u2, least), np.float32(height) + beyond)
            value, gx, gy = _look_up(table, px, py, soft)
            row[GRAD_X, at], row[GRAD_Y, at] = gx, gy
            row[NORM, at] = gx * gx + gy * gy
            row[RHO, at] = value - gx * u1 - gy * u2 - first[y, x]
