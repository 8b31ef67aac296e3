"""A page to look at: from a table's cell to the class, the clip and its pixels."""
