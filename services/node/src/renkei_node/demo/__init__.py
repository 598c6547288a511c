"""The main job, played and checked: seven agencies on this machine, invented records, real processes."""
