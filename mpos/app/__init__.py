"""Apps: what one is (`Activity`, `Manifest`), how it comes onto the screen (`activities`, `launcher`)."""
