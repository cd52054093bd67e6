"""What the product does, as plain functions: the steps that the command line and the flows both call."""
