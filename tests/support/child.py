"""A child process that says that it is there, and stays until its standard input ends."""

import os
import sys


def main():
    """Ends with a status of its own."""
    sys.stdout.write(" ".join(sys.argv[1:]) + "\n")
    sys.stdout.flush()
    while os.read(0, 1):
        pass
    return 7
