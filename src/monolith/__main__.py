"""`python -m monolith`, which is what the launcher runs."""

from monolith.cli.app import main

if __name__ == "__main__":
    main()
