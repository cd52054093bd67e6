"""From feeds to an explained control list and a consultation brief for the Yangtze River Delta."""

__version__ = "0.1.0"
