"""Which enterprises to control, with which measure, for how long, and why: measures, selection, reasons."""
