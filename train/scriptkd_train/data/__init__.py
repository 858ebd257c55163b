"""Datasets: reading, looking at, loading and augmenting them."""
