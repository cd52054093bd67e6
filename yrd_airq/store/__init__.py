"""Store: one DuckDB file of what was received, derived and issued; the only room with SQL."""
