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

# Numba reads no annotations: types come from the arguments.
# ruff: noqa: ANN001, ANN201, ANN202
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"
# mypy: disable-error-code="var-annotated, import-untyped"

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

PLANES = 11
U1, U2, P11, P12, P21, P22, GRAD_X, GRAD_Y, RHO, NORM, CHANGE = range(PLANES)
MARGIN = 16
BLOCK = 128
EDGE = 4  # of a table for bicubic look-up
CHUNK = 6  # iterations in one pass: their rows fit the second-level cache

THETA = np.float32(0.3)
LIMIT = np.float32(0.15 * 0.3)  # lambda * theta, rounded once
STEP = np.float32(0.25 / 0.3)  # tau / theta
FLAT = np.float32(np.finfo(np.float32).eps)  # below it a gradient counts as none

_ONE = np.uint64(1)
_HALF = np.float32(0.5)
_TINY = np.float32(1e-30)
_ABOVE, _BELOW = np.float32(1 + 2.0**-18), np.float32(1 - 2.0**-18)
_START = np.uint64(MARGIN)
_BLOCKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # each is compiled apart
WIDEST = BLOCK * _BLOCKS[-1] - 1
# Without these flags a loop with a choice in it is not vectorised. They change no bit
# of a result unless it is infinite, not a number, or a zero.
_EXACT = {"nnan", "ninf", "nsz"}


def _compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Numba's decorator; results are cached on disk where a folder is writable."""

    def decorate(function: Callable[..., Any]) -> Any:
        settings: Any = {"nogil": True, "error_model": "numpy", **options}
        try:
            return njit(cache=True, **settings)(function)
        except RuntimeError:  # numba found no directory for its cache
            return njit(**settings)(function)

    return decorate


def blocks_for(width: int) -> tuple[int, ...]:
    """Choose a row's length in blocks, a tuple: its length is part of its type."""
    return (0,) * next(count for count in _BLOCKS if BLOCK * count > width)


def workspace(height: int, width: int) -> NDArray[np.float32]:
    """Allocate zeros (height + 2, PLANES, pitch): a scale's planes with borders."""
    pitch = BLOCK * len(blocks_for(width)) + MARGIN
    return np.zeros((height + 2, PLANES, pitch), np.float32)


@_compiled(fastmath=True)
def _add(a, b):
    """Add terms that may be taken in any order, so that it can be vectorised."""
    return a + b


@_compiled(fastmath=_EXACT)
def _update_exact(s, u1, p, div1, div2):
    """Update a pixel of flow from divergences of the dual field; its squared change."""
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
    change = d1 * d1 + d2 * d2
    s[u1 + p * np.uint64(CHANGE)] = change
    return change


@_compiled(fastmath=_EXACT)
def _primal_exact(s, base, width, blocks):
    """Update a row of flow: threshold step, divergence of the dual; summed change."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    p11, p12 = base + p * np.uint64(P11), base + p * np.uint64(P12)
    p21, p22 = base + p * np.uint64(P21), base + p * np.uint64(P22)
    # OpenCV adds up the first column in another order, which rounds differently.
    div1 = (s[p11] + s[p12]) - s[p12 - row]
    div2 = (s[p21] + s[p22]) - s[p22 - row]
    change = _update_exact(s, base, p, div1, div2)
    for x in range(_ONE, width):
        div1 = (s[p11 + x] - s[p11 + x - _ONE]) + (s[p12 + x] - s[p12 + x - row])
        div2 = (s[p21 + x] - s[p21 + x - _ONE]) + (s[p22 + x] - s[p22 + x - row])
        change = _add(change, _update_exact(s, base + x, p, div1, div2))
    return change


@intrinsic
def _fma(typing, a, b, c):
    """Compute the float32 a * b + c, rounded once."""

    def emit(context, builder, signature, args):
        return builder.fma(*args)

    return a(a, a, a), emit


@_compiled(fastmath=_EXACT)
def _length(x, y):
    """Compute the float32 length of (x, y), and whether rounding was nearly a tie.

    OpenCV rounds a double-precision length. Double-precision roots would take half of
    the whole time, so what rounding took from the sum of squares and from its root is
    worked out instead, and added to the root. This is exact unless a ten-millionth
    decides which way to round: then the second result is True.
    """
    xx, yy = x * x, y * y
    total = xx + yy
    part = total - xx
    lost = (xx - (total - part)) + (yy - part)
    lost += _fma(x, x, -xx) + _fma(y, y, -yy)
    root = np.sqrt(total)
    lost += _fma(-root, root, total)
    rest = lost * (_HALF / (root + _TINY))
    high, low = _fma(rest, _ABOVE, root), _fma(rest, _BELOW, root)
    return high, high != low


@_compiled(fastmath=_EXACT)
def _norms_quick(s, base, spare, width, blocks):
    """Put a row's two denominators to `spare`; say if one may be rounded wrongly."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    one, doubt = np.float32(1), False
    for x in range(width):
        u1 = base + x
        u2 = u1 + p
        length, near1 = _length(s[u1 + _ONE] - s[u1], s[u1 + row] - s[u1])
        s[spare + x] = one + STEP * length
        length, near2 = _length(s[u2 + _ONE] - s[u2], s[u2 + row] - s[u2])
        s[spare + x + p] = one + STEP * length
        doubt |= near1 | near2
    return doubt


@_compiled()
def _norms_sure(s, base, spare, width, blocks):
    """As `_norms_quick`, in double precision, for the few rows that need it."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    for x in range(width):
        for plane in range(np.uint64(2)):
            u = base + x + plane * p
            gx, gy = np.float64(s[u + _ONE] - s[u]), np.float64(s[u + row] - s[u])
            length = np.float32(np.sqrt(gx * gx + gy * gy))
            s[spare + x + plane * p] = np.float32(1) + STEP * length


@_compiled(fastmath=_EXACT)
def _divide(a, b, inverse):
    """Divide a / b in float32, from 1 / b: one division serves two quotients."""
    q = a * inverse
    return _fma(_fma(-q, b, a), inverse, q)


@_compiled(fastmath=_EXACT)
def _dual_exact(s, base, width, blocks):
    """Update a row of the dual field, from the forward differences of the flow."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    spare = _START + p * np.uint64(GRAD_X)  # above the first row, where no data are
    if _norms_quick(s, base, spare, width, blocks):
        _norms_sure(s, base, spare, width, blocks)
    one = np.float32(1)
    for x in range(width):
        u1 = base + x
        u2 = u1 + p
        p11, p12 = u1 + p * np.uint64(P11), u1 + p * np.uint64(P12)
        p21, p22 = u1 + p * np.uint64(P21), u1 + p * np.uint64(P22)
        n = s[spare + x]
        inverse = one / n
        s[p11] = _divide(s[p11] + STEP * (s[u1 + _ONE] - s[u1]), n, inverse)
        s[p12] = _divide(s[p12] + STEP * (s[u1 + row] - s[u1]), n, inverse)
        n = s[spare + x + p]
        inverse = one / n
        s[p21] = _divide(s[p21] + STEP * (s[u2 + _ONE] - s[u2]), n, inverse)
        s[p22] = _divide(s[p22] + STEP * (s[u2 + row] - s[u2]), n, inverse)


@_compiled()
def _repeat_edge(s, base, width, blocks):
    """Continue a row of both flow planes by one column."""
    end = base + width
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    s[end] = s[end - _ONE]
    s[end + p] = s[end + p - _ONE]


@_compiled()
def _repeat_row(s, base, width, blocks):
    """Copy a row of both flow planes into the row below."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    row = np.uint64(PLANES) * p
    for x in range(width):
        at = base + x
        s[at + row] = s[at]
        s[at + row + p] = s[at + p]


@_compiled()
def sweep_exact(s, height, width, blocks, count):
    """Run `count` iterations; return the last one's sum of squared changes, float64."""
    row = np.uint64(PLANES * (BLOCK * len(blocks) + MARGIN))
    w = np.uint64(width)
    change = 0.0
    for front in range(height + count):
        for i in range(count):
            y = front - i
            base = np.uint64(y + 1) * row + _START
            if 0 <= y < height:
                part = _primal_exact(s, base, w, blocks)
                change += part if i == count - 1 else 0.0
                _repeat_edge(s, base, w, blocks)
            if y == height:
                _repeat_row(s, base - row, w, blocks)
            if 0 < y <= height:
                _dual_exact(s, base - row, w, blocks)
    return change


@_compiled(fastmath=True)
def _primal_fast(s, base, width, blocks):
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


@_compiled(fastmath=True)
def _dual_fast(s, base, width, blocks):
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


@_compiled()
def sweep_fast(s, height, width, blocks, count):
    """As `sweep_exact`, with `_primal_fast` and `_dual_fast`."""
    row = np.uint64(PLANES * (BLOCK * len(blocks) + MARGIN))
    w = np.uint64(width)
    change = 0.0
    for front in range(height + count):
        for i in range(count):
            y = front - i
            base = np.uint64(y + 1) * row + _START
            if 0 <= y < height:
                part = _primal_fast(s, base, w, blocks)
                change += part if i == count - 1 else 0.0
                _repeat_edge(s, base, w, blocks)
            if y == height:
                _repeat_row(s, base - row, w, blocks)
            if 0 < y <= height:
                _dual_fast(s, base - row, w, blocks)
    return change


@_compiled()
def _sum_in_order(s, height, width, blocks):
    """Sum the last change, rounded as if added up one pixel after the other."""
    p = np.uint64(BLOCK * len(blocks) + MARGIN)
    total = np.float32(0)
    for y in range(height):
        base = (np.uint64(y + 1) * np.uint64(PLANES) + np.uint64(CHANGE)) * p + _START
        for x in range(np.uint64(width)):
            total += s[base + x]
    return total


@_compiled()
def settle_exact(s, height, width, blocks, threshold, most):
    """Iterate until the change is small; say whether it was after `most` iterations.

    OpenCV adds up the change pixel by pixel in float32. Where that rounding could
    decide the test we add up the same way, elsewhere any order will do.
    """
    rounding = 1e-4 + 1.1 * 2.0**-24 * height * width
    for _ in range(most):
        change = sweep_exact(s, height, width, blocks, 1)
        if abs(change - threshold) < rounding * threshold:
            change = np.float64(_sum_in_order(s, height, width, blocks))
        if change <= threshold:
            return True
    return False


@_compiled()
def settle_fast(s, height, width, blocks, threshold, most):
    """Iterate until the change is small, tested after every `CHUNK` iterations."""
    for _ in range(0, most, CHUNK):
        if sweep_fast(s, height, width, blocks, CHUNK) <= threshold:
            return


@_compiled()
def settle_gpu(s, height, width, blocks, threshold, most):
    """Iterate until the change is small, tested as rarely as OpenCV's GPU code does.

    To spare sums it guesses that each iteration lowers the last sum by one threshold,
    and adds up again, after even numbers of iterations only, when the guess is low.
    """
    guess, done = 0.0, 0
    while done < most:
        many = 1
        while done + many < most and ((done + many) % 2 or guess >= threshold):
            guess -= threshold
            many += 1
        change = 0.0
        for start in range(0, many, CHUNK):
            part = min(many - start, CHUNK)
            change = sweep_exact(s, height, width, blocks, part)
        done, guess = done + many, change
        if change <= threshold:
            return


@_compiled(fastmath=_EXACT)
def gradient_table(picture, edge, depth):
    """Store a picture and its gradient side by side, for one look-up.

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


@_compiled(fastmath=_EXACT)
def linearise_exact(space, first, moved):
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


@njit(inline="always")
def _cubic_weights(at, a):
    """Compute weights of the four pixels around a point `at`, 0..1 after the second."""
    one = np.float32(1)
    to = one - at
    outer = a * at * to
    before, after = outer * to, outer * at
    far = ((a + np.float32(2)) * to - (a + np.float32(3))) * to * to + one
    return before, one - before - far - after, far, after


@intrinsic
def _weigh_sixteen(typing, table, at, pitch, across, down):
    """Weigh sixteen entries of a flat table around a point: four sums at once.

    Written out because numba lets LLVM vectorise over pixels only, and here the four
    numbers of an entry are what lies side by side.
    """

    def emit(context, builder, signature, args):
        entry = ir.VectorType(ir.FloatType(), 4)
        flags = ("contract",)
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        columns = [_splat(builder, w) for w in cgutils.unpack_tuple(builder, args[3])]
        rows = [_splat(builder, w) for w in cgutils.unpack_tuple(builder, args[4])]
        offset, total = args[1], None
        for row in rows:
            line = None
            for index, column in enumerate(columns):
                here = builder.add(offset, ir.Constant(offset.type, 4 * index))
                pointer = builder.gep(data, [here])
                pointer = builder.bitcast(pointer, entry.as_pointer())
                term = builder.fmul(column, builder.load(pointer, align=4), flags)
                line = term if line is None else builder.fadd(line, term, flags=flags)
            term = builder.fmul(row, line, flags=flags)
            total = term if total is None else builder.fadd(total, term, flags=flags)
            offset = builder.add(offset, args[2])
        sums = [builder.extract_element(total, _lane(index)) for index in range(4)]
        return context.make_tuple(builder, signature.return_type, sums)

    return types.UniTuple(types.float32, 4)(table, at, pitch, across, down), emit


def _lane(index: int) -> ir.Constant:
    return ir.Constant(ir.IntType(32), index)


def _splat(builder, value):
    """Build a vector that holds one number four times."""
    empty = ir.Constant(ir.VectorType(value.type, 4), ir.Undefined)
    single = builder.insert_element(empty, value, _lane(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), 4), [0] * 4)
    return builder.shuffle_vector(single, empty, zeros)


@njit(inline="always")
def _look_up(table, pitch, px, py, a):
    """Look up bicubic value, x and y gradient at a point of the picture, EDGE included.

    The table is flat; its rows are `pitch` numbers long, its entries four.
    """
    px, py = px + np.float32(EDGE), py + np.float32(EDGE)
    x, y = np.int32(px), np.int32(py)
    across = _cubic_weights(px - np.float32(x), a)
    down = _cubic_weights(py - np.float32(y), a)
    at = np.uint64(y - 1) * pitch + np.uint64(x - 1) * np.uint64(4)
    value, gx, gy, _ = _weigh_sixteen(table, at, pitch, across, down)
    return value, gx, gy


@_compiled(fastmath=True)
def linearise_fast(space, first, table):
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
    flat, pitch = table.ravel(), np.uint64(table[0].size)
    for y in range(height):
        row = space[y + 1]
        for x in range(width):
            at = x + MARGIN
            u1, u2 = row[U1, at], row[U2, at]
            px, py = np.float32(x) + u1, np.float32(y) + u2
            value = gx = gy = np.float32(0)
            if (0 <= px <= width - 1) and (0 <= py <= height - 1):
                value, gx, gy = _look_up(flat, pitch, px, py, sharp)
                value -= gx * u1 + gy * u2 + first[y, x]
            row[GRAD_X, at], row[GRAD_Y, at], row[RHO, at] = gx, gy, value
            row[NORM, at] = np.float32(1) / max(gx * gx + gy * gy, FLAT)


@_compiled(fastmath=_EXACT)
def linearise_gpu(space, first, table):
    """As `linearise_fast`, for the rules of OpenCV's GPU code.

    Outside, the picture continues as its edge does; NORM is the squared gradient.
    """
    height, width = first.shape
    soft = np.float32(-0.5)
    flat, pitch = table.ravel(), np.uint64(table[0].size)
    least, beyond = np.float32(-2), np.float32(1)
    for y in range(height):
        row = space[y + 1]
        for x in range(width):
            at = x + MARGIN
            u1, u2 = row[U1, at], row[U2, at]
            px = min(max(np.float32(x) + u1, least), np.float32(width) + beyond)
            py = min(max(np.float32(y) + u2, least), np.float32(height) + beyond)
            value, gx, gy = _look_up(flat, pitch, px, py, soft)
            row[GRAD_X, at], row[GRAD_Y, at] = gx, gy
            row[NORM, at] = gx * gx + gy * gy
            row[RHO, at] = value - gx * u1 - gy * u2 - first[y, x]
