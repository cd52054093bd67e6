"""Hourly quality control and daily aggregation of station values: by rule, flagged, never deleted."""
