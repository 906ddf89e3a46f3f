"""`python -m faceanon`."""

from faceanon.cli import main

if __name__ == "__main__":
    main()
