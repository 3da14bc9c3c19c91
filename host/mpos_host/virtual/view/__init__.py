"""The live view: a page on loopback that shows a virtual board, touches it and tells what its loop does."""
