"""How close to the original super-resolved frames are: fidelity and steadiness."""
