"""Server programs that are built from Go modules, or taken ready and checked by their sum."""
