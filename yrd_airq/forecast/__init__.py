"""City-day forecasts: panel, features, models with calibrated intervals, baselines, registry, issue."""
