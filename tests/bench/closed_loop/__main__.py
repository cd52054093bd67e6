"""``python -m tests.bench.closed_loop``; the work is in ``run``, where started processes can find it."""

from tests.bench.closed_loop.run import main

if __name__ == "__main__":
    main()
