"""The rules of fictitious-identity investigations: a state machine as data, small guards, and nothing that does I/O."""
