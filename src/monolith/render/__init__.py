"""What the files say: one pure module for each file or format that is rendered."""
