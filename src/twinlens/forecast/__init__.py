"""What a world will cost, before it is paid for.

The jobs of a dry run, each with its work in a unit of its stage
(`units`, from the `sizes` of data sets), times what a unit takes (`calibrate`), give
hours, memory, disk, and the time on a cluster (`report`).
"""
