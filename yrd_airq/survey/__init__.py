"""Survey: mobile-survey (走航) tracks become hotspots, and hotspots point to the enterprises upwind."""
