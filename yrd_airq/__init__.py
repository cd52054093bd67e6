"""From feeds to an explained control list and a consultation brief for the Yangtze River Delta."""

import os

__version__ = "0.1.0"

# How long an OpenMP thread spins before it sleeps. The library's default slows training many times on
# busy cores, sleeping at once slows it on idle ones; measured on two cores, this is near the best of both.
# It is read when the first OpenMP library loads, hence here.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
