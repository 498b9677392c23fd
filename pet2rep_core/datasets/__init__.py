"""Finding the cases in a user's folder, whatever its layout, and reading their parts."""
