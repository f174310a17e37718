"""The guards; a file's name is its name in the recipe."""
