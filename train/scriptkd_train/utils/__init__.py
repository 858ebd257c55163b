"""Shared helpers: files, cores, progress bars, contact sheets, tables."""
