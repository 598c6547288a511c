"""One module for each page: what it asks the services, and what of the answer it shows."""
