"""A board as the host sees it: its port, its console, its files, its screen."""
