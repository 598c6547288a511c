"""What a service tells: a gapless log, written with the change that it tells of."""
