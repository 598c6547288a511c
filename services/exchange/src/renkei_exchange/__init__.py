"""The exchange: the agency's only door. Lanes to and from the other agencies, and what is known about them."""
