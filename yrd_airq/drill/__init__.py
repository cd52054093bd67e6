"""Drill: a small fictitious world (演练) that writes the same files as the real feeds, from a seed."""
