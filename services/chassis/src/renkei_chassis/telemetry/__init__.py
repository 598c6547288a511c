"""What a running service tells its operators: log lines, numbers, traces. Never what a record says."""
