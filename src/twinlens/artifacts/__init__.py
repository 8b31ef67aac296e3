"""The files that stages exchange: one way to write each kind, one way to read it.

    publish   a file appears whole or not at all, by one writer
    writer    HDF5 artifacts: arrays with a digest of every chunk, sealed
    reader    the same: what is read is what was written, or an error
    shard     HDF5 artifacts that are written clip by clip and resumed
    table     csv with a digest
    figure    pictures

Layout of an HDF5 artifact:

    root attributes   format = "flow/1", about = JSON (stage, settings, inputs, code,
                      id), seal = digest of all names, shapes, dtypes and attributes,
                      written last: without it the file was never finished
    every array       attribute xxh3 = uint64, a digest of each chunk's values
    clips             |S (N,), the names of a shard's clips, in order
    clip/<name>/...   the arrays of one clip; <name> is "<Class>/<file stem>"
"""
