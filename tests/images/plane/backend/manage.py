"""STAND-IN for Plane's manage.py."""

import sys

from plane.commands import main

if __name__ == "__main__":
    main(sys.argv[1:])
