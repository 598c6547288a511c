"""Compose an agency's services into one process, and hold the renkei command."""
