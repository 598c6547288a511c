"""What a service is told: the logs of others, brought into effect once and in order."""
