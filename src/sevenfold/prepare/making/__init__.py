"""What rows that are made have to pass before they enter, and who is asked to make them."""
