"""Where the air of a receptor came from: back trajectories and residence-time footprints."""
