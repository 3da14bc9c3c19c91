"""Sensors on the one loop: motion sensors on I2C, streams of samples, motion events, orientation."""
