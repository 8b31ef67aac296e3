"""`python -m twinlens`."""

from twinlens.cli import main

main()
