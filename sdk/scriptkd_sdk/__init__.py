"""Tell which script (writing system) a cropped word image is written in."""
