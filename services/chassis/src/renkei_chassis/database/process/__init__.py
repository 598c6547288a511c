"""The writer in a process of its own: rules and commits run there, the service keeps the network and the reads."""
