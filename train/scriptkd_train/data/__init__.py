"""Data sets: read, inspect, load and augment them."""
