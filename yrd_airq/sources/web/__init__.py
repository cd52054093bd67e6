"""Web feeds: how each service is asked, and how its answers become the same batches that files become."""
