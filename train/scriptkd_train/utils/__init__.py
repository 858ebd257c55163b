"""What several rooms need: files, cores, progress bars, contact sheets, tables."""
