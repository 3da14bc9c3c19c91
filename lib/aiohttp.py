"""`import aiohttp`: the client part, which mpos has."""

from mpos.net.aiohttp import *  # noqa: F403
