"""Apps: what an app is (`Activity`, `Manifest`) and how one comes onto the screen (`activities`, `launcher`)."""
