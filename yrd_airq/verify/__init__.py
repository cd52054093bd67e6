"""How good the forecasts were: scores by model and lead, and the check of yesterday's forecast."""
