"""One idea of a network: how it is found, stored, imported and trained.

    families    which there are: sr, recogniser, two_stream, flow, perceptual
    artifact    HDF5 "network/1": weights with what they are and where they come from
    importer    a published weight file becomes such an artifact
    trainer     the loop of every training: it resumes to the same bits
    schedule    learning rate and batch order, as pure functions of the step
    checkpoint  what an interrupted training resumes from
    live        a training's picture while it runs, and a library's log
    state       state dicts in HDF5: which are refused, which fit a network
    device      where to compute, and how to get the same numbers twice

A family is a package of files that are found by name; nothing is registered. A file is
imported only when its network is asked for. It provides

    build(**settings)     the network with random weights; settings are JSON values
    convert(found)        optional, where weights are published: the state dict in a
                          file, from what `twinlens.weights.read` returns
    settings_of(found)    optional: the arguments of `build` that a file determines,
                          such as its number of classes; what the config says goes first

    export(state)         optional: the state dict under names that `convert` knows,
                          those of `ORIGIN`, the project whose code loads them

`convert` and `settings_of` raise ValueError if the file holds another network.
"""
