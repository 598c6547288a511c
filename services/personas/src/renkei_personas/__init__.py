"""Keep plans for personas and their approval by a second person."""
