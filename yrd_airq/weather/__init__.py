"""Gridded weather in canonical fields, its values at the cities, and quantities derived from them."""
