"""`python -m salesops` is the command line."""

from salesops.cli.main import main

if __name__ == "__main__":
    main()
