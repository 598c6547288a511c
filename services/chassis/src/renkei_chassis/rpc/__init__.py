"""Serve and call the methods of the contract over gRPC."""
