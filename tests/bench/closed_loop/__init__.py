"""The closed loop: the product plans seeded events of the drill, the true world carries the plans out.

``python -m tests.bench.closed_loop`` (``make closed-loop``) prints the table. What is true is asked of the
world only after the product has made its list from the files that the drill wrote.
"""
