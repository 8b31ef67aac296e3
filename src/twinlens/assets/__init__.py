"""Files that a world needs and the project has no right to carry.

needs       which files and folders a world's config names
published   where they were published, under which terms
download    from a server, going on where the last try was cut
unpack      archives of data sets
fetch       the command that brings what is missing
"""
