"""Networks of frames and flow together, one file each: the file's name is its name.

A file provides `build(*, stack, classes, ...)`, which gives a module that maps frames
(B, T, 3, H, W) and the flow around each (B, T, 2 stack, H, W) to scores before softmax
by head, (B, t, classes). One whose weights are published also provides `convert` and
`settings_of`, see `twinlens.networks`. There is nothing to register.
"""
