"""The parts of the page, one file each: a function ``part`` that gives a part or None where its stage is missing."""
