"""TV-L1 optical flow (being written)."""
from dataclasses import dataclass
import cv2
import numpy as np


@dataclass(frozen=True)
class Fast:
    step: float = 0.8
    scales: int = 8
    warps: int = 2
    iterations: int = 20
    median: int = 3
    area: bool = False
    least: int = 16


def _pyramid(picture, step, scales, least=16, area=False):
    levels = [picture.astype(np.float32)]
    while len(levels) < scales:
        h, w = levels[-1].shape
        size = (round(w * step), round(h * step))
        if min(size) < least:
            break
        levels.append(cv2.resize(levels[-1], None, fx=step, fy=step, interpolation=cv2.INTER_AREA if area else cv2.INTER_LINEAR))
    return levels


def _view(flat, height, pitch):
    from twinlens.flow import tvl1_kernels as sweep
    return flat[: (height + 2) * sweep.PLANES * pitch].reshape(height + 2, sweep.PLANES, pitch)


def fast(first, second, settings=Fast()):
    from twinlens.flow import tvl1_kernels as sweep; warp = sweep
    s = settings
    one, two = (_pyramid(p, s.step, s.scales, s.least, s.area) for p in (first, second))
    width = first.shape[1]
    flat = sweep.workspace(*first.shape).ravel()
    blocks = sweep.blocks_for(width)
    pitch = len(blocks) * sweep.BLOCK + sweep.MARGIN
    flow = np.zeros((2, *one[-1].shape), np.float32)
    for a, b in zip(one[::-1], two[::-1]):
        h, w = a.shape
        if flow.shape[1:] != a.shape:
            ratio = w / flow.shape[2], h / flow.shape[1]
            flow = [cv2.resize(f, (w, h)) * np.float32(1 / s.step) for f, r in zip(flow, ratio)]
        space = _view(flat, h, pitch)
        space[:] = 0
        u1, u2 = (sweep.plane(space, i, w) for i in (0, 1))
        u1[:], u2[:] = flow
        table = warp.gradient_table(b)
        for _ in range(s.warps):
            warp.linearise_fast(space, a, table)
            if s.median:
                cv2.medianBlur(u1, s.median, dst=u1)
                cv2.medianBlur(u2, s.median, dst=u2)
            sweep.sweep_fast(space.ravel(), h, w, blocks, np.zeros(s.iterations))
        flow = np.stack([u1, u2])
    return flow


def exact(first, second):
    from twinlens.flow import tvl1_kernels as sweep; warp = sweep
    one, two = (_pyramid(p, 0.8, 5) for p in (first, second))
    width = first.shape[1]
    flat = sweep.workspace(*first.shape).ravel()
    blocks = sweep.blocks_for(width)
    pitch = len(blocks) * sweep.BLOCK + sweep.MARGIN
    flow = np.zeros((2, *one[-1].shape), np.float32)
    change = np.zeros(1)
    for a, b in zip(one[::-1], two[::-1]):
        h, w = a.shape
        if flow.shape[1:] != a.shape:
            flow = [cv2.resize(f, (w, h)) * np.float32(1 / 0.8) for f in flow]
        space = _view(flat, h, pitch)
        space[:] = 0
        u1, u2 = (sweep.plane(space, i, w) for i in (0, 1))
        u1[:], u2[:] = flow
        gx, gy = np.empty_like(a), np.empty_like(a)
        warp.gradient(b, gx, gy)
        xs = np.arange(w, dtype=np.float32); ys = np.arange(h, dtype=np.float32)[:, None]
        eps = np.float32(0.01 * 0.01 * (h * w))
        margin = h * w * 2.0**-24 * 1.1 + 1e-4
        for _ in range(5):
            mx, my = u1 + xs, u2 + ys
            moved = [cv2.remap(i, mx, my, cv2.INTER_CUBIC) for i in (b, gx, gy)]
            warp.linearise_exact(space, a, *moved)
            error = np.inf
            outer = 0
            while error > eps and outer < 10:
                cv2.medianBlur(u1, 5, dst=u1)
                cv2.medianBlur(u2, 5, dst=u2)
                inner = 0
                while error > eps and inner < 30:
                    sweep.sweep_exact(space.ravel(), h, w, blocks, change)
                    error = change[0]
                    if abs(error / eps - 1) < margin:
                        error = sweep.literal_sum(space, h, w)
                    inner += 1
                outer += 1
        flow = np.stack([u1, u2])
    return flow


def tvl1(first, second, preset="opencv", threads=1):
    f = {"opencv": exact, "fast": fast}[preset]
    return np.stack([f(a, b) for a, b in zip(first, second)]) if len(first) else np.zeros((0, 2, *first.shape[1:]), np.float32)
