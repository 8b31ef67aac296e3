"""The inner iterations of TV-L1: pixel by pixel, in place, several at a time.

All planes of one scale live in one flat float32 array, row after row, and in each row
plane after plane (`PLANES` of them, `pitch` numbers each). `pitch` is known to the
compiler, so that it can prove that reads and writes never meet, and vectorise without
tests at run time. Columns start at `MARGIN`; what lies left of them and above the first
row is zero (the dual field outside the picture), one row and one column beyond the end
repeat the edge of the flow (so that its gradient is zero there).

Several iterations run in one pass over the rows, each one row behind the one before, so
that a row is taken from memory once and not once per iteration.
"""

import numpy as np
from numba import njit
from numba.extending import intrinsic
from numpy.typing import NDArray

PLANES = 11
U1, U2, P11, P12, P21, P22, GRAD_X, GRAD_Y, RHO, NORM, CHANGE = range(PLANES)
MARGIN = 16
BLOCK = 128

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
    """Zeros (height + 2, PLANES, pitch): all planes of a scale and their borders."""
    pitch = BLOCK * len(blocks_for(width)) + MARGIN
    return np.zeros((height + 2, PLANES, pitch), np.float32)


def plane(space: NDArray[np.float32], index: int, width: int) -> NDArray[np.float32]:
    """The (H, W) view of one plane without its borders."""
    return space[1:-1, index, MARGIN : MARGIN + width]


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
def literal_sum(space, height, width):  # noqa: ANN001, ANN201
    """The sum of the change, rounded as if added up one pixel after the other."""
    total = np.float32(0)
    for y in range(height):
        for x in range(width):
            total += space[y + 1, CHANGE, MARGIN + x]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def linearise_exact(space, first, moved, moved_x, moved_y):  # noqa: ANN001, ANN201
    """Fill the data planes from the warped picture and its warped gradient."""
    height, width = first.shape
    for y in range(height):
        row = space[y + 1]
        for x in range(width):
            at = x + MARGIN
            gx, gy = moved_x[y, x], moved_y[y, x]
            row[GRAD_X, at], row[GRAD_Y, at] = gx, gy
            row[NORM, at] = gx * gx + gy * gy
            row[RHO, at] = (
                moved[y, x] - gx * row[U1, at] - gy * row[U2, at] - first[y, x]
            )


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_EXACT)
def gradient(picture, gx, gy):  # noqa: ANN001, ANN201
    """Central differences; at the edge half of the one-sided difference."""
    height, width = picture.shape
    half = np.float32(0.5)
    for y in range(height):
        above, below = picture[max(y - 1, 0)], picture[min(y + 1, height - 1)]
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            gx[y, x] = half * (picture[y, right] - picture[y, left])
            gy[y, x] = half * (below[x] - above[x])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def linearise_fast(space, first, table):  # noqa: ANN001, ANN201
    """Warp bilinearly and fill the data planes; NORM becomes 1 / squared gradient.

    Where the flow leaves the picture there is no data: the gradient is set to zero and
    the flow there is only smoothed.

    Args:
        space: the scale's planes, whose U1 and U2 are read.
        first: float32 (H, W), the first picture.
        table: float32 (H, W, 4): the second picture, its x and y gradient, unused.
    """
    height, width = first.shape
    one, zero = np.float32(1), np.float32(0)
    for y in range(height):
        row = space[y + 1]
        for x in range(width):
            at = x + MARGIN
            u1, u2 = row[U1, at], row[U2, at]
            px, py = np.float32(x) + u1, np.float32(y) + u2
            inside = (px >= 0) & (px <= width - 1) & (py >= 0) & (py <= height - 1)
            if not inside:
                row[GRAD_X, at] = row[GRAD_Y, at] = zero
                row[RHO, at] = row[NORM, at] = zero
                continue
            x0, y0 = min(int(px), width - 2), min(int(py), height - 2)
            fx, fy = px - np.float32(x0), py - np.float32(y0)
            w00, w01 = (one - fx) * (one - fy), fx * (one - fy)
            w10, w11 = (one - fx) * fy, fx * fy
            p00, p01 = table[y0, x0], table[y0, x0 + 1]
            p10, p11 = table[y0 + 1, x0], table[y0 + 1, x0 + 1]
            value = w00 * p00[0] + w01 * p01[0] + w10 * p10[0] + w11 * p11[0]
            gx = w00 * p00[1] + w01 * p01[1] + w10 * p10[1] + w11 * p11[1]
            gy = w00 * p00[2] + w01 * p01[2] + w10 * p10[2] + w11 * p11[2]
            square = gx * gx + gy * gy
            row[GRAD_X, at], row[GRAD_Y, at] = gx, gy
            row[RHO, at] = value - gx * u1 - gy * u2 - first[y, x]
            row[NORM, at] = one / max(square, np.float32(1e-6))


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def gradient_table(picture):  # noqa: ANN001, ANN201
    """A float32 (H, W, 4) table of a picture and its gradient, for one look-up."""
    height, width = picture.shape
    table = np.empty((height, width, 4), np.float32)
    half = np.float32(0.5)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            table[y, x, 0] = picture[y, x]
            table[y, x, 1] = half * (picture[y, right] - picture[y, left])
            table[y, x, 2] = half * (picture[below, x] - picture[above, x])
            table[y, x, 3] = 0
    return table
