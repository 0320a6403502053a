"""Statistics on frames and arrays, without a Book."""
