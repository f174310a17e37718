"""Stage 3: the machine to an environment: device, precision, seed, and a plan of memory and time."""
