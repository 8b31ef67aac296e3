"""Audit the numbers that the paper prints, by exact arithmetic; no data are needed.

counts    is a number k of n test clips, under which metric
claims    what must be equal; what the text says of the numbers
write     all of it as csv and as a page of the docs
"""
