"""From feeds to an explained control list and a consultation brief for the Yangtze River Delta."""

import os

__version__ = "0.1.0"

# OpenMP threads that spin while they wait slow each other down many times on busy cores; it is read
# when the first OpenMP library loads, hence here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
