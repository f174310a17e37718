"""Labels: rows that a person should look at, the page on which they are labelled, and the answers."""
