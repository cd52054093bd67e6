"""National standards as pure, dated functions: AQI, limits, rounding and daily statistics."""
