"""The time of a track of a video file, from the file's start on."""

from fractions import Fraction

BACK = Fraction(1, 2)
"""Seconds by which times may go back before another clock is taken."""


class Clock:
    """A clock that goes on where times go back, as those of joined files do."""

    def __init__(self, start: Fraction) -> None:
        """Take the file's first time, in seconds."""
        self.shift, self.end = start, Fraction(0)

    def read(self, time: Fraction, length: Fraction) -> Fraction:
        """Bring a time to this clock.

        Args:
            time: in seconds, as the file has it.
            length: of what starts then, in seconds.

        Returns:
            Seconds from the file's start on.
        """
        if time - self.shift < self.end - BACK:
            self.shift = time - self.end
        self.end = time - self.shift + length
        return time - self.shift
