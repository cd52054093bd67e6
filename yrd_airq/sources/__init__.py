"""Sources: one module per feed or file layout, turning bytes into canonical rows and nothing else."""
