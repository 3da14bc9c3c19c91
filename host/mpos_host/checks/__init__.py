"""What `make lint` checks, and the tables that it checks against."""
